"""The statements of the rollups. Every one works through a list of devices and spans, each span by its index."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection

from iotpanel.statements import execute

from .stores.backend import features
from .stores.backend.packed import bigints, instants, moment
from .stores.levels import BOUNDED, COLUMNS, COMBINED, LEVELS, LONGEST_NAME, NUMBER

# OFFSET 0 keeps the planner from turning the loop over the spans inside out.
READINGS = f"""
    SELECT span.device_id, property, at, value, number FROM ({{spans}}) AS span
    CROSS JOIN LATERAL (
        SELECT at, values FROM telemetry_report WHERE device_id = span.device_id AND at >= since AND at < until OFFSET 0
    ) AS row
    CROSS JOIN LATERAL jsonb_each(values) AS one (property, value)
    CROSS JOIN LATERAL (SELECT {NUMBER} AS number) AS converted
    WHERE jsonb_typeof(value) <> 'null' AND length(property) <= {LONGEST_NAME}
"""  # noqa: S608 - our own texts, as everywhere in this file
SUMS = f"""
    count(*) AS count, count(number) AS numbers, sum({BOUNDED}) AS total, min(number) AS low, max(number) AS high,
    min(at) AS first_at, max(at) AS last_at
"""
GROUPED = f"""
    SELECT device_id, property, date_bin('1 minute', at, timestamptz '2000-01-01 00:00:00+00') AS bucket, {SUMS} {{ends}}
    FROM ({READINGS}) AS reading GROUP BY 1, 2, 3
"""  # noqa: S608
# TimescaleDB finds first and last values while it counts. PostgreSQL would sort all readings for that, so there they
# are looked up by their key.
ENDS = ", first(value, at) AS first, last(value, at) AS last"
VALUE_AT = "(SELECT values -> property FROM telemetry_report AS row WHERE row.device_id = summed.device_id AND row.at = summed.{end}_at)"
LOOKED_UP = f", {VALUE_AT.format(end='first')} AS first, {VALUE_AT.format(end='last')} AS last"
MINUTES = {
    True: f"SELECT device_id, property, bucket, {COLUMNS} FROM ({GROUPED.replace('{ends}', ENDS)}) AS summed",  # noqa: S608
    False: f"""
        SELECT device_id, property, bucket, {COLUMNS} FROM (
            SELECT * {LOOKED_UP} FROM ({GROUPED.replace("{ends}", "")}) AS summed
        ) AS every
    """,  # noqa: S608
}
# Every property that a device ever sent stands in its latest values.
FINER = f"""
    SELECT span.device_id, name, span.since, summed.* FROM ({{spans}}) AS span
    JOIN telemetry_latest AS latest ON latest.device_id = span.device_id
    CROSS JOIN LATERAL jsonb_object_keys(latest.values) AS name
    CROSS JOIN LATERAL (
        SELECT {COMBINED} FROM {{finer}} WHERE device_id = span.device_id AND property = name
            AND bucket >= span.since AND bucket < span.until HAVING count(*) > 0
    ) AS summed
"""  # noqa: S608
_CHANGES = ", ".join(f"{column} = excluded.{column}" for column in COLUMNS.split(", "))
INSERT = f"""
    INSERT INTO {{table}} (device_id, property, bucket, {COLUMNS}) {{rows}}
    ON CONFLICT (device_id, property, bucket) DO {{conflict}}
"""


class Spans(NamedTuple):
    """A query that yields device_id, since and until, with its parameters."""

    query: str
    parameters: list[Any]

    @classmethod
    def of(cls, spans: Sequence[tuple[int, int, int]]) -> "Spans":
        """Devices with their ranges in µs since 1970."""
        devices, lows, highs = zip(*spans, strict=True) if spans else ((), (), ())
        return cls(
            "SELECT * FROM unnest(%s, %s, %s) AS given (device_id, since, until)", [bigints(devices), instants(lows), instants(highs)]
        )


def active(start: int, end: int) -> Spans:
    """The range for every device that may have readings in it: its newest is no older."""
    query = "SELECT device_id, %s::timestamptz AS since, %s::timestamptz AS until FROM telemetry_latest WHERE newest_at >= %s"
    return Spans(query, [moment(start), moment(end), moment(start)])


def roll_up_minutes(spans: Spans, *, replace: bool = True) -> None:
    """Minutes from readings. Without `replace` only minutes that have none yet are written."""
    _insert("minute", MINUTES[features.active(connection)].format(spans=spans.query), spans, replace)


def roll_up_hours(spans: Spans, *, replace: bool = True) -> None:
    """Each span is one whole hour."""
    _insert("hour", FINER.format(spans=spans.query, finer=LEVELS["minute"].table), spans, replace)


def roll_up_days(spans: Spans, *, replace: bool = True) -> None:
    """Each span is one whole day of UTC."""
    _insert("day", FINER.format(spans=spans.query, finer=LEVELS["hour"].table), spans, replace)


def _insert(level: str, rows: str, spans: Spans, replace: bool) -> None:
    conflict = f"UPDATE SET {_CHANGES}" if replace else "NOTHING"
    execute(INSERT.format(table=LEVELS[level].table, rows=rows, conflict=conflict), spans.parameters)


class Dirty(NamedTuple):
    """A claimed hour; whether all readings of it, and of its day, are still there to be counted anew."""

    device_id: int
    hour: int
    intact: bool
    day_intact: bool


# The day counts as UTC's. A device that is gone has nothing left to lose.
CLAIMED = """
    SELECT dirty.device_id, (extract(epoch FROM hour) * 1000000)::bigint, hour >= coalesce(gone.before, '-infinity'),
        date_trunc('day', hour, 'UTC') >= coalesce(gone.before, '-infinity')
    FROM telemetry_dirtybucket AS dirty LEFT JOIN devices_device AS device ON device.id = dirty.device_id
    CROSS JOIN LATERAL (
        SELECT max(before) AS before FROM telemetry_forgotten WHERE level = 'raw' AND product_id IN (0, device.product_id)
    ) AS gone
    WHERE claimed ORDER BY 1, 2 LIMIT %s
"""


def claimed(limit: int) -> list[Dirty]:
    """Some of the hours that this run has claimed."""
    return [Dirty(*row) for row in execute(CLAIMED, [limit])]
