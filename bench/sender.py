"""Queues commands at a steady rate; runs inside the platform's own environment."""

import time

from devices.downlink.commands import Order, send_all
from devices.models import Command, Device

TICK = 0.005  # seconds
PATIENCE = 10.0  # seconds


def warm_up(device: Device) -> None:
    """The first call connects and imports; what falls due meanwhile would go as one burst, which no steady rate has."""
    first, until = Command.objects.filter(pk__in=send_all([Order(device, "blink", {"n": 0})])), time.monotonic() + PATIENCE
    while first.filter(finished_at=None).exists() and time.monotonic() < until:
        time.sleep(TICK)
    first.delete()


def main(rate: float, seconds: float) -> None:
    """`rate` commands/s for so many seconds, to one device after the other."""
    devices = list(Device.objects.filter(product__key="bench").select_related("product").order_by("pk"))
    warm_up(devices[0])
    started, sent = time.monotonic(), 0
    while (elapsed := time.monotonic() - started) < seconds:
        wanted = int(rate * elapsed)
        if wanted > sent:
            send_all([Order(devices[number % len(devices)], "blink", {"n": number}) for number in range(sent, wanted)])
            sent = wanted
        time.sleep(max(0.0, TICK - (time.monotonic() - started - elapsed)))
