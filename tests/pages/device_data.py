"""A device that has said something: reports, events and letters through the real uplink."""

from collections.abc import Mapping
from time import time
from typing import Any

import orjson

from devices.messages import Uplink
from devices.models import Device, Product
from iotpanel.tenants.models import Tenant
from telemetry.uplink.pipeline import Outcome, process
from tests import make

THING_MODEL: dict[str, Any] = {
    "properties": [
        {"key": "temperature", "name": "Temperature", "type": "number", "unit": "°C", "precision": 1, "period": 60, "max": 60},
        {"key": "door", "name": "Door", "type": "boolean"},
        {"key": "mode", "name": "Mode", "type": "text", "enum": ["cooling", "idle"]},
    ],
    "attributes": [{"key": "setpoint", "name": "Setpoint", "type": "number", "unit": "°C", "precision": 1}],
    "events": [{"key": "opened", "name": "Door opened", "params": []}],
}
MINUTE = 60_000


def now_ms() -> int:
    return int(time() * 1000)


def make_cold_room(tenant: Tenant, **overrides: Any) -> Device:
    """A device of a product with a number, a boolean and a text."""
    product: Product = overrides.pop("product", None) or make.make_product(tenant, thing_model=THING_MODEL, name="Cold room sensor")
    return make.make_device(tenant, **{"product": product, "name": "Cold room 2"} | overrides)


def say(device: Device, kind: str, payload: Any) -> Outcome:
    """The device says it now."""
    body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    return process([Uplink(f"devices/{device.key}/up/{kind}", body, int(time() * 1_000_000), "mqtt")])


def report(device: Device, values: Mapping[str, Any], minutes_ago: float = 0) -> Outcome:
    """One report, so many minutes old."""
    return say(device, "telemetry", {"ts": now_ms() - int(minutes_ago * MINUTE), "values": values})


def series(device: Device, name: str, values: list[Any], step: float = 1) -> None:
    """Readings `step` minutes apart, the last one now."""
    start = now_ms() - int((len(values) - 1) * step * MINUTE)
    rows = [{"ts": start + int(i * step * MINUTE), "values": {name: value}} for i, value in enumerate(values)]
    assert say(device, "telemetry", rows).stored == len(values)
