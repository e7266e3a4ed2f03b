"""The reading next to an instant: found in rollups by their index, in raw readings only where there are no rollups."""

from typing import Any

import orjson

from iotpanel.statements import execute

from .backend.packed import moment
from .base import Reading
from .horizon import horizon
from .levels import COARSEST_FIRST, HOUR, LEVELS, MINUTE, Level, ceil, floor

# {order} is DESC to look back and ASC to look ahead. Raw readings outrank rollups, which may not have a late change yet.
RAW = """
    (SELECT at, values -> %s AS value, 0 AS rank FROM telemetry_report
     WHERE device_id = %s AND at >= %s AND at < %s AND values ? %s AND jsonb_typeof(values -> %s) <> 'null'
     ORDER BY at {order} LIMIT 1)
"""
DIRTY = """
    (SELECT row.at, row.value, 0 FROM telemetry_dirtybucket AS dirty CROSS JOIN LATERAL (
        SELECT at, values -> %s AS value FROM telemetry_report
        WHERE device_id = dirty.device_id AND at >= greatest(hour, %s) AND at < least(hour + interval '1 hour', %s)
          AND values ? %s AND jsonb_typeof(values -> %s) <> 'null'
        ORDER BY at {order} LIMIT 1
     ) AS row
     WHERE dirty.device_id = %s AND hour > %s AND hour < %s ORDER BY hour {order} LIMIT 1)
"""
ROLLED_UP = """
    (SELECT {end}_at, {end}, 1 FROM {table}
     WHERE device_id = %s AND property = %s AND bucket >= %s AND bucket <= %s ORDER BY bucket {order} LIMIT 1)
"""
NEAREST = """
    SELECT (extract(epoch FROM at) * 1000000)::bigint, value FROM ({parts}) AS every ORDER BY at {order}, rank LIMIT 1
"""
LONG_AGO, FAR_AHEAD = -62_135_596_800_000_000, 253_402_300_799_999_999  # years 1 to 9999


def newest_before(device_id: int, property: str, instant: int) -> Reading | None:
    """The newest reading before an instant (µs since 1970)."""
    rolled_up_to = horizon(device_id, property, instant, instant).rolled_up_to
    start = min(floor(instant, MINUTE), rolled_up_to)
    parts = [_raw(device_id, property, start, instant), _dirty(device_id, property, LONG_AGO, instant)]
    parts += [_rolled_up(device_id, property, level, LONG_AGO, instant - level.width) for level in COARSEST_FIRST]
    return _nearest(property, parts, order="DESC", end="last")


def oldest_from(device_id: int, property: str, instant: int) -> Reading | None:
    """The oldest reading at an instant (µs since 1970) or after it."""
    rolled_up_to = horizon(device_id, property, instant, instant).rolled_up_to
    parts = [
        _raw(device_id, property, instant, ceil(instant, MINUTE)),
        _raw(device_id, property, max(instant, rolled_up_to), FAR_AHEAD),
        _dirty(device_id, property, instant, FAR_AHEAD),
    ]
    parts += [_rolled_up(device_id, property, level, instant, FAR_AHEAD) for level in LEVELS.values()]
    return _nearest(property, parts, order="ASC", end="first")


Query = tuple[str, list[Any]]


def _raw(device_id: int, name: str, start: int, end: int) -> Query:
    return RAW, [name, device_id, moment(start), moment(end), name, name]


def _dirty(device_id: int, name: str, start: int, end: int) -> Query:
    earliest = max(start - HOUR, LONG_AGO)
    return DIRTY, [name, moment(start), moment(end), name, name, device_id, moment(earliest), moment(end)]


def _rolled_up(device_id: int, name: str, level: Level, first: int, last: int) -> Query:
    return ROLLED_UP.replace("{table}", level.table), [device_id, name, moment(max(first, LONG_AGO)), moment(max(last, LONG_AGO))]


def _nearest(property: str, parts: list[Query], *, order: str, end: str) -> Reading | None:
    query = " UNION ALL ".join(part.format(order=order, end=end) for part, _ in parts)
    rows = execute(NEAREST.format(parts=query, order=order), [value for _, parameters in parts for value in parameters])
    return Reading(property, rows[0][0], orjson.loads(rows[0][1])) if rows else None
