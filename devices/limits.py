"""What limits a device: its own rate, and what all devices of its tenant may send together."""

from typing import NamedTuple

from django.conf import settings

from devices.models import Device
from iotpanel.tenants.limits import Limit, first_of, tenant_limit


class Limits(NamedTuple):
    """At least one of them is there."""

    device: Limit | None
    tenant: Limit | None


def device_limit(device: Device) -> Limit | None:
    """The device's own, else its product's, else the platform's."""
    return first_of(
        ("device", device.rate_limit, device.rate_burst),
        ("product", device.product.rate_limit, device.product.rate_burst),
        ("platform", settings.DEVICE_RATE, settings.DEVICE_BURST),
    )


def limits_of(device: Device) -> Limits | None:
    """None where nothing limits it; product and tenant have to be loaded."""
    own, whole = device_limit(device), tenant_limit(device.tenant)
    return Limits(own, whole) if own or whole else None
