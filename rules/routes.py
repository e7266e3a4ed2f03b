"""Which forwarders listen to a device's stream: remembered per thread, so that a batch costs no query.

Forwarders are looked up every two seconds, which is how soon a new one listens. What is known of devices is forgotten
when the registry says that it changed (the uplink listens for that anyway), and after half a minute in any case.
"""

import time
from collections.abc import Iterable
from threading import local
from typing import Any, NamedTuple

from django.db import connection

from devices.models import Device, Group
from rules.models import Forwarder

FORWARDERS_FOR = 2.0  # seconds
DEVICES_FOR = 30.0
_thread = local()


class Known(NamedTuple):
    """A device as far as a scope asks."""

    key: str
    tenant_id: int
    product: str
    groups: frozenset[str]  # with those above
    labels: dict[str, Any]


class Listener:
    """One enabled forwarder, and the keys of the devices that it listens to, by their ids (None: not to this one)."""

    def __init__(self, forwarder: Forwarder) -> None:
        self.id, self.tenant_id, self.scope = forwarder.pk, forwarder.tenant_id, forwarder.scope
        self.keys: dict[int, str | None] = {}

    def takes(self, device: Known) -> bool:
        return device.tenant_id == self.tenant_id and in_scope(self.scope, device)


def in_scope(scope: dict[str, Any], device: Known) -> bool:
    """Whether every part of the scope holds; an empty one takes all of the tenant's devices."""
    return (
        ("product" not in scope or scope["product"] == device.product)
        and ("group" not in scope or scope["group"] in device.groups)
        and ("devices" not in scope or device.key in scope["devices"])
        and all(device.labels.get(name) == value for name, value in scope.get("labels", {}).items())
    )


class Routes:
    """One thread's memory."""

    def __init__(self) -> None:
        self._streams: dict[str, list[Listener]] = {}
        self._devices: dict[int, Known] = {}
        self._forwarders_until = self._devices_until = 0.0
        self._heard_on: Any = None

    def listeners(self, stream: str) -> list[Listener]:
        """Who listens to the stream, of all tenants."""
        if time.monotonic() >= self._forwarders_until:
            self._streams = {}
            for forwarder in Forwarder.objects.filter(enabled=True).exclude(stream="").only("tenant_id", "stream", "scope").order_by("pk"):
                self._streams.setdefault(forwarder.stream, []).append(Listener(forwarder))
            self._forwarders_until = time.monotonic() + FORWARDERS_FOR
        return self._streams.get(stream, [])

    def resolve(self, listeners: Iterable[Listener], device_ids: Iterable[int]) -> None:
        """Make sure that each listener knows each of these devices."""
        self._listen()
        if time.monotonic() >= self._devices_until:
            self.forget_devices()
        ids = set(device_ids)
        for listener in listeners:
            if unknown := ids - listener.keys.keys():
                self._load(unknown - self._devices.keys())
                for device_id in unknown:
                    device = self._devices.get(device_id)
                    listener.keys[device_id] = device.key if device and listener.takes(device) else None

    def forget_devices(self) -> None:
        self._devices = {}
        self._devices_until = time.monotonic() + DEVICES_FOR
        for listeners in self._streams.values():
            for listener in listeners:
                listener.keys = {}

    def _listen(self) -> None:
        """Hear what the uplink's directory listens for on the same connection."""
        if self._heard_on is not connection.connection and connection.connection is not None:
            self._heard_on = connection.connection
            self._heard_on.add_notify_handler(lambda _: self.forget_devices())
            self.forget_devices()

    def _load(self, ids: set[int]) -> None:
        if ids:
            above = _groups_above()
            for device in Device.objects.filter(pk__in=ids).select_related("product").prefetch_related("groups"):
                groups = frozenset().union(*(above[group.pk] for group in device.groups.all() if group.pk in above))
                self._devices[device.pk] = Known(device.key, device.tenant_id, device.product.key, groups, device.labels)


def _groups_above() -> dict[int, frozenset[str]]:
    """Each group's key with the keys of all groups above it."""
    rows = {pk: (key, parent) for pk, key, parent in Group.objects.values_list("pk", "key", "parent_id")}
    found: dict[int, frozenset[str]] = {}
    for pk in rows:
        keys, at = set(), pk
        while at in rows and rows[at][0] not in keys:
            keys.add(rows[at][0])
            at = rows[at][1]
        found[pk] = frozenset(keys)
    return found


def routes() -> Routes:
    """This thread's memory of who listens."""
    if not hasattr(_thread, "routes"):
        _thread.routes = Routes()
    found: Routes = _thread.routes
    return found


def forget() -> None:
    """Look everything up anew, in this thread."""
    _thread.__dict__.pop("routes", None)
