"""The three widths of rollups, and the SQL that every one of them shares. Widths are µs."""

from typing import NamedTuple

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Level(NamedTuple):
    name: str
    width: int
    table: str


LEVELS = {
    "minute": Level("minute", MINUTE, "telemetry_rollup_minute"),
    "hour": Level("hour", HOUR, "telemetry_rollup_hour"),
    "day": Level("day", DAY, "telemetry_rollup_day"),
}
COARSEST_FIRST = [LEVELS["day"], LEVELS["hour"], LEVELS["minute"]]

# A property's name that is longer has no rollups: it would not fit their index.
LONGEST_NAME = 256

# Booleans count as 0 and 1, so that their average is the share of true.
NUMBER = "CASE jsonb_typeof(value) WHEN 'number' THEN value::double precision WHEN 'boolean' THEN value::boolean::int::double precision END"
# What a sum takes of one reading: enough for anything real, and no two of them can overflow it and fail the rest.
BOUNDED = "CASE WHEN number IS NOT NULL THEN least(greatest(number, -1e290), 1e290) END"
LARGEST = 1e290

COLUMNS = "count, numbers, total, low, high, first, first_at, last, last_at"
# Rows that are summaries already, put together.
COMBINED = """
    sum(count)::bigint AS count, sum(numbers)::bigint AS numbers, sum(total) AS total, min(low) AS low, max(high) AS high,
    (array_agg(first ORDER BY first_at))[1] AS first, min(first_at) AS first_at,
    (array_agg(last ORDER BY last_at DESC))[1] AS last, max(last_at) AS last_at
"""


def floor(at: int, width: int) -> int:
    """The start of the bucket that an instant lies in."""
    return at - at % width


def ceil(at: int, width: int) -> int:
    """The next start of a bucket, or the instant itself where it is one."""
    return at + -at % width
