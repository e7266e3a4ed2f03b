"""Rules for tests, and devices that say something in the same way as on the wire."""

import time
from typing import Any

import orjson

from devices.messages import Uplink
from devices.models import Device, Product
from iotpanel.tenants.models import Tenant
from rules.models import Rule
from rules.rules import create_rule
from telemetry.uplink.pipeline import process
from tests.make import make_device, make_product

SECOND = 1_000_000
T0 = (time.time_ns() // 10**9 - 3_600) * SECOND  # an hour ago, in µs
MODEL = {
    "properties": [
        {"key": "temperature", "name": "Temperature", "type": "number", "unit": "°C"},
        {"key": "setpoint", "name": "Setpoint", "type": "number"},
        {"key": "door", "name": "Door", "type": "text"},
        {"key": "open", "name": "Open", "type": "boolean"},
        {"key": "energy", "name": "Energy", "type": "number"},
        {"key": "lat", "name": "Latitude", "type": "number"},
        {"key": "lon", "name": "Longitude", "type": "number"},
        {"key": "computed", "name": "Computed", "type": "number"},
    ],
    "commands": [{"key": "set_fan", "name": "Set fan", "params": [{"key": "speed", "name": "Speed", "type": "number"}]}],
    "events": [{"key": "fell", "name": "Fell", "params": [{"key": "height", "name": "Height", "type": "number"}]}],
}
HOT = {"property": "temperature", "op": ">", "value": 5}


def make_freezer(tenant: Tenant, key: str = "freezer", **overrides: Any) -> Device:
    product = Product.objects.for_tenant(tenant).filter(key="freezers").first() or make_product(tenant, key="freezers", thing_model=MODEL)
    return make_device(tenant, key=key, product=product, **overrides)


def make_rule(tenant: Tenant, **overrides: Any) -> Rule:
    """A rule that raises an alarm for freezers that are too warm."""
    name, enabled = overrides.pop("name", "Too warm"), overrides.pop("enabled", True)
    body = {"scope": {"product": "freezers"}, "trigger": "readings", "when": HOT, "actions": [{"kind": "alarm", "severity": "major"}]}
    whole = {key: value for key, value in (body | overrides).items() if value is not None}
    return create_rule(tenant, name=name, enabled=enabled, body=whole)


def say(device: Device, seconds: float, **values: Any) -> None:
    """Readings at so many seconds after T0, received at once."""
    at = T0 + round(seconds * SECOND)
    body = orjson.dumps({"ts": at, "values": values})
    process([Uplink(f"devices/{device.key}/up/telemetry", body, at)])
