"""Where buckets begin and end in a time zone: pure calendar arithmetic on µs since 1970.

- Up to an hour (dividing it) buckets are counted in elapsed time from local midnight, so that a day on which clocks
  change has 23 or 25 of `1h`.
- From two hours up (dividing the day) they begin at fixed times of the local clock.
- Other lengths below a day are counted in elapsed time from the start of 2000.
- Days, weeks (from Monday), months and years are the zone's own.
"""

import re
from bisect import bisect_right
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from devices.timestamps import to_datetime, to_microseconds

from .errors import HistoryError

SECOND = 1_000_000
DAY = 86_400
SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600}
DAYS = {"d": 1, "w": 7}
MONTHS = {"mo": 1, "y": 12}
SIZE = re.compile(r"([0-9]{1,4})(s|min|m|h|d|w|mo|y)")
MONDAY = date(2000, 1, 3).toordinal()
FIRST_YEAR, LAST_YEAR = 200, 9800  # far enough from what dates can hold for the longest bucket
LONGEST = 36_525 * DAY * SECOND


class Ruler(Protocol):
    nominal: int  # the usual length of a bucket, in µs

    def floor(self, at: int) -> int:
        """The start of the bucket that an instant lies in."""
        ...

    def next(self, edge: int) -> int:
        """The start of the bucket after the one that starts here."""
        ...


def zone(name: str) -> tzinfo:
    """A time zone by its IANA name; raises HistoryError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: the name of a folder
        raise HistoryError("tz", f"“{name[:64]}” is no time zone, such as Europe/Berlin.") from error


def ruler(bucket: str, tz: str = "UTC") -> Ruler:
    """The ruler for a size such as `5m`, `1h`, `1d`, `1w`, `1mo` or `1y`; raises HistoryError."""
    match = SIZE.fullmatch(bucket)
    number = int(match[1]) if match else 0
    if not match or not number:
        raise HistoryError("bucket", "A number and one of s, m, h, d, w, mo, y, such as 5m or 1mo.")
    made = _made(number, match[2], zone(tz))
    if made.nominal > LONGEST:
        raise HistoryError("bucket", "At most a hundred years.")
    return made


def _made(number: int, unit: str, where: tzinfo) -> Ruler:
    if unit in MONTHS:
        return Months(number * MONTHS[unit], where)
    if unit in DAYS:
        return Days(number * DAYS[unit], where)
    seconds = number * SECONDS[unit]
    return Clock(seconds, where) if DAY % seconds == 0 and seconds < DAY else Steps(seconds, where)


def midnight(day: date, where: tzinfo) -> int:
    """When a local day begins; where clocks skip midnight, at the first moment after it."""
    return to_microseconds(datetime(day.year, day.month, day.day, tzinfo=where))


def local_day(at: int, where: tzinfo) -> date:
    moment = to_datetime(at)
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise HistoryError("start", f"A time between the years {FIRST_YEAR} and {LAST_YEAR}.")
    return moment.astimezone(where).date()


class Steps:
    """Elapsed time from the start of 2000."""

    def __init__(self, seconds: int, where: tzinfo) -> None:
        self.nominal = seconds * SECOND
        self.origin = midnight(date(2000, 1, 1), where)

    def floor(self, at: int) -> int:
        return at - (at - self.origin) % self.nominal

    def next(self, edge: int) -> int:
        return edge + self.nominal


class Clock:
    """Lengths that divide the day: the same times of every local day."""

    def __init__(self, seconds: int, where: tzinfo) -> None:
        self.nominal = seconds * SECOND
        self.seconds = seconds
        self.where = where
        self._edges = lru_cache(maxsize=4)(self._edges_of)

    def _edges_of(self, day: date) -> list[int]:
        """The starts of a local day's buckets, and the start of the next day's first."""
        begin, end = midnight(day, self.where), midnight(day + timedelta(days=1), self.where)
        if self.seconds <= 3600:
            return [*range(begin, end, self.nominal), end]
        start = datetime(day.year, day.month, day.day)
        walls = ((start + timedelta(seconds=offset)).replace(tzinfo=self.where) for offset in range(0, DAY, self.seconds))
        return [*sorted({to_microseconds(wall) for wall in walls}), end]

    def floor(self, at: int) -> int:
        edges = self._edges(local_day(at, self.where))
        return edges[bisect_right(edges, at) - 1]

    def next(self, edge: int) -> int:
        edges = self._edges(local_day(edge, self.where))
        return edges[bisect_right(edges, edge)]


class Days:
    """Local days and weeks."""

    def __init__(self, days: int, where: tzinfo) -> None:
        self.nominal = days * DAY * SECOND
        self.days = days
        self.where = where

    def floor(self, at: int) -> int:
        day = local_day(at, self.where)
        return midnight(day - timedelta(days=(day.toordinal() - MONDAY) % self.days), self.where)

    def next(self, edge: int) -> int:
        return midnight(local_day(edge, self.where) + timedelta(days=self.days), self.where)


class Months:
    """Local months and years."""

    def __init__(self, months: int, where: tzinfo) -> None:
        self.nominal = months * 30 * DAY * SECOND
        self.months = months
        self.where = where

    def _at(self, index: int) -> int:
        return midnight(date(index // 12, index % 12 + 1, 1), self.where)

    def floor(self, at: int) -> int:
        day = local_day(at, self.where)
        index = day.year * 12 + day.month - 1
        return self._at(max(index - index % self.months, 12))

    def next(self, edge: int) -> int:
        day = local_day(edge, self.where)
        return self._at(day.year * 12 + day.month - 1 + self.months)
