"""When a device said nothing although it should have: the gaps that its charts show."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from telemetry.rhythm import steady
from telemetry.stores.clock import to_microseconds

EXPECTED = 2  # a silence longer than so many usual pauses is a gap
MOST = 20

_GAPS = """
    SELECT before, at FROM (
        SELECT at, lag(at) OVER (ORDER BY at) AS before
        FROM telemetry_report WHERE device_id = %s AND at >= %s AND at <= %s
    ) AS pauses WHERE at - before > make_interval(secs => %s) ORDER BY at DESC LIMIT %s
"""
_NEWEST = "SELECT at FROM telemetry_report WHERE device_id = %s AND at >= %s AND at <= %s ORDER BY at DESC LIMIT 120"


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
        cursor.execute(_NEWEST, [device_id, since, until])
        newest = [at for (at,) in cursor.fetchall()]
        usual = steady(to_microseconds(at) / 1_000_000 for at in newest)
        if usual is None:
            return None, []
        longest = timedelta(seconds=usual * EXPECTED)
        cursor.execute(_GAPS, [device_id, since, until, longest.total_seconds(), MOST])
        found = [Gap(*row) for row in cursor.fetchall()]
    still = [Gap(newest[0], None)] if until - newest[0] > longest else []
    return usual, still + found
