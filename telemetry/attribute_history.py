"""What attributes were: noted with each value that changes, in its transaction, and read by time. Instants are µs since 1970."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import orjson

from devices.timestamps import to_datetime, to_microseconds
from iotpanel.statements import execute, prepared

from .models import AttributeChange
from .stores.backend.packed import bigints, instants, jsons, texts

WRITE = """
    INSERT INTO telemetry_attributechange (device_id, scope, key, at, value)
    SELECT * FROM unnest(%s, %s, %s, %s, %s) AS new (device_id, scope, key, at, value)
"""
STANDING = """
    SELECT DISTINCT ON (scope, key) scope, key, value FROM telemetry_attributechange
    WHERE device_id = %s AND at < 'epoch'::timestamptz + %s * interval '1 microsecond' AND (%s OR key = ANY(%s::text[]))
    ORDER BY scope, key, at DESC, id DESC
"""


class Change(NamedTuple):
    """One attribute has another value since `at`; None: it is gone."""

    device_id: int
    scope: str
    key: str
    at: int
    value: Any


class Patch(NamedTuple):
    """What changed of a device at one instant."""

    at: int
    scope: str
    values: dict[str, Any]


def note(changes: Sequence[Change]) -> None:
    """Write changes, in the transaction that made them."""
    if changes:
        ids, scopes, keys, moments, values = zip(*changes, strict=True)
        bodies = jsons([orjson.dumps(value) for value in values])
        prepared(WRITE, [bigints(ids), texts(scopes), texts(keys), instants(moments), bodies])


def standing(device_id: int, before: int, names: Collection[str] | None) -> dict[str, dict[str, Any]]:
    """`{scope: {key: value}}` just before an instant, of these attributes (None: of all). A value of None was taken away."""
    found: dict[str, dict[str, Any]] = {}
    for scope, key, value in execute(STANDING, [device_id, before, names is None, sorted(names or ())]):
        found.setdefault(scope, {})[key] = orjson.loads(value)
    return found


def between(device_id: int, start: int, end: int, names: Collection[str] | None, most: int) -> Iterator[Patch]:
    """What changed in [start, end), by time; of these attributes (None: of all). At most so many values."""
    rows = AttributeChange.objects.filter(device_id=device_id, at__gte=to_datetime(start), at__lt=to_datetime(end))
    rows = rows if names is None else rows.filter(key__in=names)
    found = rows.order_by("at", "scope", "id").values_list("at", "scope", "key", "value")[:most]
    for (at, scope), some in groupby(found, key=lambda row: (row[0], row[1])):
        yield Patch(to_microseconds(at), scope, {key: value for _, _, key, value in some})
