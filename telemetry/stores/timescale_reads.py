"""Reading from PostgreSQL: raw rows, and rollups as far as they reach."""

from collections.abc import Sequence
from typing import Any

import orjson

from .backend.packed import moment, texts
from .base import Reading
from .session import execute

US = "(extract(epoch FROM at) * 1000000)::bigint"

# Every value of a row, or those that are asked for; a null is no reading.
ALL_OF_ROW = "jsonb_each(values) AS one (name, value)"
SOME_OF_ROW = "(SELECT name, values -> name FROM unnest(%s) AS name) AS one (name, value)"


class TimescaleReads:
    def readings(
        self, device_id: int, properties: Sequence[str], start: int, end: int, newest_first: bool, limit: int, after: tuple[int, str] | None
    ) -> list[Reading]:
        """See Store.readings."""
        start, end = _clamped(start), _clamped(end)
        behind, behind_parameters = _behind(after, newest_first)
        source, source_parameters = (SOME_OF_ROW, [texts(properties)]) if properties else (ALL_OF_ROW, [])
        query = f"""
            SELECT name, {US}, value FROM telemetry_report CROSS JOIN LATERAL {source}
            WHERE device_id = %s AND at >= %s AND at < %s AND jsonb_typeof(value) <> 'null' {behind}
            ORDER BY at {"DESC" if newest_first else "ASC"}, name COLLATE "C" LIMIT %s
        """  # noqa: S608 - our own texts
        parameters: list[Any] = [*source_parameters, device_id, moment(start), moment(end), *behind_parameters, limit]
        return [Reading(name, at, orjson.loads(value)) for name, at, value in execute(query, parameters)]


def _behind(after: tuple[int, str] | None, newest_first: bool) -> tuple[str, list[Any]]:
    if after is None:
        return "", []
    at, name = moment(_clamped(after[0])), after[1]
    sign = "<" if newest_first else ">"
    return f'AND at {sign}= %s AND (at {sign} %s OR name COLLATE "C" > %s)', [at, at, name]


# What PostgreSQL's timestamps can hold, with room to spare: years 1 to 9999.
EARLIEST, LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999


def _clamped(at: int) -> int:
    return min(max(at, EARLIEST), LATEST)
