"""What a template may look at: the device, the tenant, and what the stream's entry says."""

import datetime
from collections.abc import Iterable
from typing import Any

from devices.models import Device
from iotpanel.tenants.models import Tenant

Context = dict[str, Any]
NAMES = {
    "readings": {"values"},
    "events": {"event", "params"},
    "alarms": {"alarm"},
    "presence": {"online", "cause"},
    "": {"rule", "values", "change", "alarm"},
}
ALWAYS = {"device", "tenant", "stream", "ts", "at"}


class Facts:
    """What is known of a tenant's devices, looked up for a batch at a time."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = {"key": tenant.key, "name": tenant.name}
        self._tenant = tenant
        self._devices: dict[str, Context] = {}

    def load(self, keys: Iterable[str]) -> None:
        """Read these devices anew, in two queries."""
        found = Device.objects.for_tenant(self._tenant).filter(key__in=set(keys))
        self._devices = {device.key: _device(device) for device in found.select_related("product").prefetch_related("groups")}

    def device(self, key: str) -> Context:
        """A device that was deleted meanwhile is known by its key alone."""
        return self._devices.get(key) or {"key": key, "name": key, "product": "", "labels": {}, "groups": []}


def _device(device: Device) -> Context:
    return {
        "key": device.key,
        "name": device.name,
        "product": device.product.key,
        "labels": device.labels,
        "groups": sorted(group.key for group in device.groups.all()),
        "latitude": device.latitude,
        "longitude": device.longitude,
    }


def context_of(stream: str, entry: list[Any], facts: Facts) -> Context:
    """Everything about one entry: `[device key, µs since 1970, ...]`."""
    key, at, *rest = entry
    known = {"device": facts.device(key), "tenant": facts.tenant, "stream": stream or "rule", "ts": at // 1000, "at": iso(at)}
    return known | _said(stream, rest)


def _said(stream: str, rest: list[Any]) -> Context:
    match stream:
        case "readings":
            return {"values": rest[0]}
        case "events":
            return {"event": rest[0], "params": rest[1]}
        case "presence":
            return {"online": rest[0], "cause": rest[1]}
        case "alarms":
            return {"alarm": rest[0]}
        case _:
            return dict(rest[0])


def iso(at: int) -> str:
    """µs since 1970 as ISO 8601 in UTC, with milliseconds."""
    return datetime.datetime.fromtimestamp(at / 1_000_000, datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Anything(dict[str, Any]):
    """A sample's values, or labels: whatever a template asks for is there, and all of it is one thing."""

    def __init__(self, value: Any = 21.5, name: str = "temperature") -> None:
        super().__init__({name: value})
        self.value = value

    def get(self, key: str, default: Any = None) -> Any:
        return self.value


def sample(stream: str, tenant: Tenant, device: Device | None = None) -> list[Any]:
    """An entry as the stream would bring it, for trying a template and for test messages."""
    key, at = device.key if device else "test-device", int(datetime.datetime.now(datetime.UTC).timestamp() * 1_000_000)
    alarm = {"id": 0, "rule": "Test", "device": key, "severity": "info", "active": True, "acknowledged": False, "message": "Test message"}
    said: dict[str, list[Any]] = {
        "readings": [{"temperature": 21.5}],
        "events": ["test", {"temperature": 21.5}],
        "presence": [True, "test"],
        "alarms": [alarm],
        "": [{"rule": {"id": 0, "name": "Test"}, "change": "raised", "values": {"temperature": 21.5}}],
    }
    return [key, at, *said[stream]]
