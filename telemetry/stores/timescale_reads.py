"""Reading from PostgreSQL: raw rows, and rollups as far as they reach."""

from collections.abc import Sequence
from typing import Any

import orjson

from iotpanel.statements import execute

from .backend.packed import instants, moment, texts
from .base import Reading, Summaries, Summary
from .horizon import horizon
from .levels import BOUNDED, COLUMNS, COMBINED, NUMBER
from .neighbour import newest_before, oldest_from
from .plan import Part, Range, plan

# Every value of a row, or those that are asked for; a null is no reading.
ALL_OF_ROW = "jsonb_each(values) AS one (name, value)"
SOME_OF_ROW = "(SELECT name, values -> name FROM unnest(%s) AS name) AS one (name, value)"

# OFFSET 0 keeps the planner from turning the loop over the ranges inside out.
RANGES = "unnest(%s, %s) AS part (since, until)"
RAW = f"""
    SELECT at, 1 AS count, (number IS NOT NULL)::int AS numbers, {BOUNDED} AS total, number AS low, number AS high,
        value AS first, at AS first_at, value AS last, at AS last_at
    FROM {RANGES} CROSS JOIN LATERAL (
        SELECT at, values -> %s AS value FROM telemetry_report
        WHERE device_id = %s AND at >= since AND at < until AND values ? %s OFFSET 0
    ) AS row CROSS JOIN LATERAL (SELECT {NUMBER} AS number) AS converted
    WHERE jsonb_typeof(value) <> 'null'
"""  # noqa: S608 - our own texts, as everywhere in this file
ROLLED_UP = f"""
    SELECT bucket AS at, {COLUMNS} FROM {RANGES} CROSS JOIN LATERAL (
        SELECT * FROM {{table}} WHERE device_id = %s AND property = %s AND bucket >= since AND bucket < until OFFSET 0
    ) AS row
"""  # noqa: S608
SUMMARIES = f"""
    SELECT width_bucket(at, %s) - 1 AS index, {COMBINED} FROM ({{parts}}) AS every GROUP BY 1
"""  # noqa: S608


class TimescaleReads:
    def readings(
        self, device_id: int, properties: Sequence[str], start: int, end: int, newest_first: bool, limit: int, after: tuple[int, str] | None
    ) -> list[Reading]:
        """See Store.readings."""
        behind, behind_parameters = _behind(after, newest_first)
        source, source_parameters = (SOME_OF_ROW, [texts(properties)]) if properties else (ALL_OF_ROW, [])
        query = f"""
            SELECT name, {_us("at")}, value FROM telemetry_report CROSS JOIN LATERAL {source}
            WHERE device_id = %s AND at >= %s AND at < %s AND jsonb_typeof(value) <> 'null' {behind}
            ORDER BY at {"DESC" if newest_first else "ASC"}, name COLLATE "C" LIMIT %s
        """  # noqa: S608
        parameters: list[Any] = [*source_parameters, device_id, _instant(start), _instant(end), *behind_parameters, limit]
        return [Reading(name, at, orjson.loads(value)) for name, at, value in execute(query, parameters)]

    def summaries(self, device_id: int, property: str, edges: Sequence[int]) -> Summaries:
        """See Store.summaries."""
        parts = plan(edges, horizon(device_id, property, edges[0], edges[-1]))
        queries, parameters = zip(*(_part(part, device_id, property) for part in parts), strict=True)
        query = _summed(SUMMARIES.format(parts=" UNION ALL ".join(queries)))
        rows = execute(query, [instants(edges), *(parameter for some in parameters for parameter in some)])
        coarsest = parts[0].level
        return Summaries({index: _summary(*fields) for index, *fields in rows}, coarsest.name if coarsest else "raw")

    def neighbour(self, device_id: int, property: str, instant: int, before: bool) -> Reading | None:
        """See Store.neighbour."""
        return newest_before(device_id, property, instant) if before else oldest_from(device_id, property, instant)


def _behind(after: tuple[int, str] | None, newest_first: bool) -> tuple[str, list[Any]]:
    if after is None:
        return "", []
    at, name = _instant(after[0]), after[1]
    sign = "<" if newest_first else ">"
    return f'AND at {sign}= %s AND (at {sign} %s OR name COLLATE "C" > %s)', [at, at, name]


def _part(part: Part, device_id: int, property: str) -> tuple[str, list[Any]]:
    bounds = _bounds(part.ranges)
    if part.level is None:
        return RAW, [*bounds, property, device_id, property]
    return ROLLED_UP.format(table=part.level.table), [*bounds, device_id, property]


def _bounds(ranges: Sequence[Range]) -> list[Any]:
    return [instants([low for low, _ in ranges]), instants([high for _, high in ranges])]


def _summed(query: str) -> str:
    """The query with its instants as µs."""
    return f"""
        SELECT index, count, numbers, total, low, high, first, {_us("first_at")}, last, {_us("last_at")} FROM ({query}) AS summed
    """  # noqa: S608


def _summary(count: int, numbers: int, total: Any, low: Any, high: Any, first: str, first_at: int, last: str, last_at: int) -> Summary:
    return Summary(count, numbers, total, low, high, orjson.loads(first), first_at, orjson.loads(last), last_at)


def _us(column: str) -> str:
    return f"(extract(epoch FROM {column}) * 1000000)::bigint"


# What PostgreSQL's timestamps can hold, with room to spare: years 1 to 9999.
EARLIEST, LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999


def _instant(at: int) -> Any:
    return moment(min(max(at, EARLIEST), LATEST))
