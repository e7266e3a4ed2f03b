"""The newest value of each property: one row per device, the newer instant winning property by property."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from devices.messages import Report, Values
from iotpanel.statements import prepared

from .models import Latest
from .stores.backend.packed import bigints, documents, instants
from .stores.session import unavailable_unless_refused

Entry = tuple[Any, int]  # a value and its instant, in µs since 1970

MERGE = "SELECT telemetry_merge(%s, %s, %s, %s)"  # telemetry/migrations/0012_take.py


class Columns(NamedTuple):
    """What a batch says of its devices, the same place in each list being the same device."""

    devices: list[int]
    newest_at: list[int]  # µs since 1970, as the next
    merged_from: list[int]
    values: list[bytes]  # `{property: [value, instant]}`


def merge(reports: Sequence[Report]) -> None:
    """Merge stored reports in the caller's transaction, in their order. Raises Unavailable."""
    said = columns(reports)
    if said.devices:
        with unavailable_unless_refused(savepoint=False):
            prepared(MERGE, [bigints(said.devices), instants(said.newest_at), instants(said.merged_from), documents(said.values)])


def columns(reports: Sequence[Report]) -> Columns:
    """The newest values of each device that has any. Raises what orjson raises."""
    devices = {device_id: newest for device_id, newest in _newest(reports).items() if newest.entries}
    newest = devices.values()
    values = [orjson.dumps(one.entries) for one in newest]
    return Columns(list(devices), [one.until for one in newest], [one.since for one in newest], values)


class _Newest:
    """A device's newest values out of a batch, and the oldest and the newest instant that they may be of."""

    __slots__ = ("entries", "since", "until")

    def __init__(self, at: int, values: Values) -> None:
        self.since = self.until = at
        self.entries: dict[str, Entry] = {name: (value, at) for name, value in values.items()}

    def merge_earlier(self, at: int, values: Values) -> None:
        """Merge what arrived before everything here: of one instant, what is here wins."""
        if at <= self.since:
            self.since = at
            if values.keys() <= self.entries.keys():
                return  # nearly always: a device says the same again and again
        else:
            self.until = max(self.until, at)
        for name, value in values.items():
            if name not in self.entries or self.entries[name][1] < at:
                self.entries[name] = (value, at)


def _newest(reports: Sequence[Report]) -> dict[int, _Newest]:
    """By device; from the last report back, so that most of those before it need no more than a glance."""
    devices: dict[int, _Newest] = {}
    for device_id, at, values, _ in reversed(reports):
        if (newest := devices.get(device_id)) is not None:
            newest.merge_earlier(at, values)
        else:
            devices[device_id] = _Newest(at, values)
    return devices


def read(device_ids: Iterable[int], properties: Collection[str] | None = None) -> dict[int, dict[str, Entry]]:
    """`{device_id: {property: (value, µs since 1970)}}` of the devices that ever said something.

    The caller has checked that the devices may be seen.
    """
    rows = Latest.objects.filter(device_id__in=list(device_ids)).values_list("device_id", "values")
    return {device_id: _chosen(values, properties) for device_id, values in rows}


def _chosen(values: dict[str, list[Any]], properties: Collection[str] | None) -> dict[str, Entry]:
    return {name: (value, at) for name, (value, at) in values.items() if properties is None or name in properties}
