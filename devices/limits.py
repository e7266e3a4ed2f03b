"""What limits a device: its own rate, and what all devices of its tenant may send together."""

from typing import NamedTuple, Protocol

from django.conf import settings

from iotpanel.tenants.limits import Limit, first_of, tenant_limit
from iotpanel.tenants.models import Tenant


class Limits(NamedTuple):
    """At least one of them is there."""

    device: Limit | None
    tenant: Limit | None


class Limited(Protocol):
    """A device or a product, as far as it limits."""

    @property
    def rate_limit(self) -> float | None: ...

    @property
    def rate_burst(self) -> int | None: ...


def device_limit(device: Limited, product: Limited) -> Limit | None:
    """The device's own, else its product's, else the platform's."""
    return first_of(
        ("device", device.rate_limit, device.rate_burst),
        ("product", product.rate_limit, product.rate_burst),
        ("platform", settings.DEVICE_RATE, settings.DEVICE_BURST),
    )


def limits_of(device: Limited, product: Limited, tenant: Tenant) -> Limits | None:
    """None where nothing limits it."""
    own, whole = device_limit(device, product), tenant_limit(tenant)
    return Limits(own, whole) if own or whole else None
