"""When a device said nothing although it should have: the gaps that its charts show."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from telemetry.rhythm import steady
from telemetry.stores.clock import to_microseconds

EXPECTED = 2  # a silence longer than so many usual pauses is a gap
MOST = 20
SAMPLE = 40  # newest reports that show the rhythm: few, so that a changed one is soon believed

_GAPS = """
    SELECT before, at FROM (
        SELECT at, before, coalesce(
            min(at - before) OVER (ORDER BY at ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING), lead(at - before) OVER (ORDER BY at)
        ) AS shortest
        FROM (
            SELECT at, lag(at) OVER (ORDER BY at) AS before
            FROM telemetry_report WHERE device_id = %s AND at >= %s AND at <= %s
        ) AS pauses
    ) AS judged WHERE at - before > make_interval(secs => %s) AND at - before > shortest * %s ORDER BY at DESC LIMIT %s
"""
"""A pause is no gap where the three just before it were about as long: then the device came less often, and nothing is missing."""
_NEWEST = "SELECT at FROM telemetry_report WHERE device_id = %s AND at >= %s AND at <= %s ORDER BY at DESC LIMIT %s"


class Gap(NamedTuple):
    """Nothing was heard from `start` to `end`; `end` is None where it still lasts."""

    start: datetime
    end: datetime | None

    def seconds(self, now: datetime) -> float:
        return ((self.end or now) - self.start).total_seconds()


def gaps(device_id: int, since: datetime, until: datetime) -> tuple[float | None, list[Gap]]:
    """The usual pause between reports (seconds), and the silences longer than two of them, newest first.

    Nothing is missing of a device that comes as it likes: then the pause is None and the list empty.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [device_id, since, until, SAMPLE])
        newest = [at for (at,) in cursor.fetchall()]
        usual = steady(to_microseconds(at) / 1_000_000 for at in newest)
        if usual is None:
            return None, []
        longest = timedelta(seconds=usual * EXPECTED)
        cursor.execute(_GAPS, [device_id, since, until, longest.total_seconds(), EXPECTED, MOST])
        found = [Gap(*row) for row in cursor.fetchall()]
    still = [Gap(newest[0], None)] if until - newest[0] > longest else []
    return usual, still + found
