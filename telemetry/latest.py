"""The newest value of each property: one row per device, the newer instant winning property by property."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import orjson

from devices.messages import Report

from .models import Latest
from .stores.backend.packed import bigints, instants, jsons
from .stores.session import execute, unavailable_unless_refused

Entry = tuple[Any, int]  # a value and its instant, in µs since 1970

# Sorted, so that two batches that meet on the same devices wait for each other instead of locking each other out.
MERGE = """
    INSERT INTO telemetry_latest AS row (device_id, newest_at, merged_from, values)
    SELECT * FROM unnest(%s, %s, %s, %s) AS new (device_id, newest_at, merged_from, values) ORDER BY 1
    ON CONFLICT (device_id) DO UPDATE SET
        newest_at = greatest(row.newest_at, excluded.newest_at),
        merged_from = excluded.merged_from,
        values = CASE WHEN excluded.merged_from >= row.newest_at THEN row.values || excluded.values
                      ELSE telemetry_newer(row.values, excluded.values) END
"""


def merge(reports: Sequence[Report]) -> None:
    """Merge stored reports in the caller's transaction, in their order. Raises Unavailable."""
    devices = _newest(reports)
    if not devices:
        return
    rows = [(device_id, *_span(entries), orjson.dumps(entries)) for device_id, entries in devices.items()]
    ids, newest, oldest, values = zip(*rows, strict=True)
    with unavailable_unless_refused(savepoint=False):
        execute(MERGE, [bigints(ids), instants(newest), instants(oldest), jsons(values)])


def _newest(reports: Iterable[Report]) -> dict[int, dict[str, Entry]]:
    devices: dict[int, dict[str, Entry]] = {}
    for device_id, at, values, _ in reports:
        entries = devices.get(device_id)
        if entries is None:
            entries = devices[device_id] = {}
        for name, value in values.items():
            if name not in entries or entries[name][1] <= at:
                entries[name] = (value, at)
    return {device_id: entries for device_id, entries in devices.items() if entries}


def _span(entries: dict[str, Entry]) -> tuple[int, int]:
    moments = [at for _, at in entries.values()]
    return max(moments), min(moments)


def read(device_ids: Iterable[int], properties: Collection[str] | None = None) -> dict[int, dict[str, Entry]]:
    """`{device_id: {property: (value, µs since 1970)}}` of the devices that ever said something.

    The caller has checked that the devices may be seen.
    """
    rows = Latest.objects.filter(device_id__in=list(device_ids)).values_list("device_id", "values")
    return {device_id: _chosen(values, properties) for device_id, values in rows}


def _chosen(values: dict[str, list[Any]], properties: Collection[str] | None) -> dict[str, Entry]:
    return {name: (value, at) for name, (value, at) in values.items() if properties is None or name in properties}
