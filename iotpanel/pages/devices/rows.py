"""The rows of the device list: state, main value and age, for one page of devices with four queries."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from devices.models import Device, Product
from devices.thing_model import Property
from iotpanel.pages import wording
from iotpanel.pages.alarms.worst import Worst, worst
from iotpanel.tenants.models import Tenant
from telemetry import latest
from telemetry.tiles import model_of


class Row(NamedTuple):
    """A device as the list shows it. `state` is online, offline, never or disabled; `value` is in words."""

    device: Device
    state: str
    groups: list[str]
    main: Property | None
    value: str
    at: datetime | None
    alarm: Worst | None

    @property
    def last_seen(self) -> datetime | None:
        return self.device.presence.last_seen

    @property
    def gone_for(self) -> float | None:
        """Seconds since the device went, for those that did."""
        since = self.device.presence.changed_at or self.device.presence.last_seen
        return (datetime.now(UTC) - since).total_seconds() if self.state == "offline" and since else None


def state_of(device: Device) -> str:
    """The device's state by shape and word."""
    presence = getattr(device, "presence", None)
    if not device.enabled:
        return "disabled"
    if presence is None or presence.last_seen is None:
        return "never"
    return "online" if presence.online else "offline"


def main_property(product: Product) -> Property | None:
    """The property that stands for a device in a list: the first number of its thing model, else the first of all."""
    properties = list(model_of(product).properties.values())
    return next((prop for prop in properties if prop.type == "number"), properties[0] if properties else None)


def _row(device: Device, main: Property | None, newest: dict[str, tuple[Any, int]], alarm: Worst | None) -> Row:
    value, micros = newest.get(main.key, (None, None)) if main else (None, None)
    at = datetime.fromtimestamp(micros / 1_000_000, UTC) if micros is not None else None
    text = wording.value(value, main.precision) if main and micros is not None else ""
    return Row(device, state_of(device), [group.name for group in device.groups.all()], main, text, at, alarm)


def rows(tenant: Tenant, devices: list[Device]) -> list[Row]:
    """The rows of a tenant's devices that came with product, presence and groups."""
    alarms = worst(tenant, [device.pk for device in devices])
    newest = latest.read([device.pk for device in devices])
    mains = {device.product_id: device.product for device in devices}
    properties = {pk: main_property(product) for pk, product in mains.items()}
    return [_row(device, properties[device.product_id], newest.get(device.pk, {}), alarms.get(device.pk)) for device in devices]
