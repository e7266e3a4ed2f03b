"""One property of many devices together, hour by hour, out of the hours' rollups."""

from collections.abc import Sequence
from typing import NamedTuple

from iotpanel.statements import execute
from telemetry.stores.backend.packed import bigints, moment
from telemetry.stores.levels import HOUR, ceil, floor

QUERY = """
    SELECT (extract(epoch FROM bucket) * 1000000)::bigint, sum(total) / nullif(sum(numbers), 0), min(low), max(high), sum(numbers)::bigint,
           count(*)
    FROM telemetry_rollup_hour WHERE device_id = ANY(%s) AND property = %s AND bucket >= %s AND bucket < %s
    GROUP BY bucket ORDER BY bucket
"""


class Together(NamedTuple):
    """All these devices in one hour: `at` in µs since 1970; the average is over readings, `devices` had some."""

    at: int
    average: float | None
    low: float | None
    high: float | None
    readings: int
    devices: int


def averages(devices: Sequence[int], property: str, *, start: int, end: int) -> list[Together]:
    """The whole hours within [start, end) (µs since 1970) in which any of them had readings, as far as they are rolled up.

    The caller has checked that the devices may be seen.
    """
    rows = execute(QUERY, [bigints(devices), property, moment(ceil(start, HOUR)), moment(floor(end, HOUR))])
    return [Together(*row) for row in rows]
