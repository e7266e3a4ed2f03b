"""When a rule is effective: weekdays, hours, time zone, holidays; and the edges of tumbling windows. Pure Python."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from .durations import DAY, SECOND
from .problems import BadRule

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAYS: Final = ("as usual", "never", "only")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_KEYS = {"weekdays", "from", "to", "tz", "holidays", "on_holidays"}


def to_local(at: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(microseconds=at)).astimezone(zone)


def to_instant(local: datetime) -> int:
    """µs since 1970 of an aware datetime."""
    return (local - _EPOCH) // _MICROSECOND


def parse_zone(name: Any, path: str) -> ZoneInfo:
    """Raises BadRule."""
    try:
        return ZoneInfo(name) if name else ZoneInfo("UTC")
    except (ValueError, KeyError, OSError, TypeError) as error:
        raise BadRule(path, "there is no time zone “%(name)s”", name=str(name)[:60]) from error


class Hours:
    """The times in which something is so. Answers are remembered up to the next change, so that asking costs a comparison."""

    def __init__(self, spec: Any, path: str) -> None:
        if not isinstance(spec, Mapping) or set(spec) - _KEYS:
            raise BadRule(path, "an object with %(known)s", known=", ".join(sorted(_KEYS)))
        self.zone = parse_zone(spec.get("tz"), f"{path}.tz")
        self.weekdays = _weekdays(spec.get("weekdays"), f"{path}.weekdays")
        self.start, self.end = _clock(spec.get("from", "00:00"), f"{path}.from"), _clock(spec.get("to", "24:00"), f"{path}.to")
        self.holidays = _holidays(spec.get("holidays", []), f"{path}.holidays")
        self.on_holidays = spec.get("on_holidays", "never" if self.holidays else "as usual")
        if self.on_holidays not in HOLIDAYS:
            raise BadRule(f"{path}.on_holidays", "one of: %(known)s", known=", ".join(HOLIDAYS))
        if self.start == self.end:
            raise BadRule(f"{path}.to", "it ends when it begins")
        self._from = self._until = 0
        self._now = False

    def hold(self, at: int) -> bool:
        """Whether it is so at an instant."""
        if not self._from <= at < self._until:
            self._look(at)
        return self._now

    def changes(self, at: int) -> int:
        """When that ends, within two days; look again then."""
        self.hold(at)
        return self._until

    def _look(self, at: int) -> None:
        """The piece of time around an instant in which the answer stays the same, cut at midnight."""
        local = to_local(at, self.zone)
        edges = sorted({time(0), self.start or time(0), self.end or time(0)})
        marks = [to_instant(datetime.combine(local.date(), edge, self.zone)) for edge in edges]
        marks.append(to_instant(datetime.combine(local.date() + timedelta(days=1), time(0), self.zone)))
        before, after = [mark for mark in marks if mark <= at], [mark for mark in marks if mark > at]
        self._from, self._until = (max(before) if before else at), (min(after) if after else at + DAY)
        self._now = self._is(local)

    def _is(self, local: datetime) -> bool:
        clock, day = local.time(), local.date()
        if self.end is None or (self.start is not None and self.start < self.end):
            return (self.start or time(0)) <= clock and (self.end is None or clock < self.end) and self._day(day)
        if clock >= (self.start or time(0)):  # over midnight: the night belongs to the day on which it began
            return self._day(day)
        return clock < self.end and self._day(day - timedelta(days=1))

    def _day(self, day: date) -> bool:
        if day in self.holidays and self.on_holidays != "as usual":
            return self.on_holidays == "only"
        return day.weekday() in self.weekdays and self.on_holidays != "only"


def _weekdays(names: Any, path: str) -> frozenset[int]:
    if names is None:
        return frozenset(range(7))
    if not isinstance(names, list) or not names or any(name not in WEEKDAYS for name in names):
        raise BadRule(path, "a list out of %(known)s", known=", ".join(WEEKDAYS))
    return frozenset(WEEKDAYS.index(name) for name in names)


def _clock(text: Any, path: str) -> time | None:
    """A time of day; None is the day's end."""
    if text == "24:00":
        return None
    try:
        found = time.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise BadRule(path, "a time of day such as “08:00”") from error
    if found.tzinfo is not None:
        raise BadRule(path, "a time of day without a zone; “tz” says the zone")
    return found


def _holidays(days: Any, path: str) -> frozenset[date]:
    if not isinstance(days, list) or len(days) > 400:
        raise BadRule(path, "a list of at most 400 dates")
    try:
        return frozenset(date.fromisoformat(day) for day in days)
    except (TypeError, ValueError) as error:
        raise BadRule(path, "dates such as “2026-12-25”") from error


def edges(length: int, zone: ZoneInfo) -> Callable[[int], tuple[int, int]]:
    """The function that gives the two edges of a tumbling window around an instant.

    Whole days begin at midnight in the zone, weeks on Monday; anything shorter counts from midnight too, where it
    divides a day, else from 1970.
    """
    days, rest = divmod(length, DAY)
    if days and not rest:
        return lambda at: _days_around(at, days, zone)
    if DAY % length == 0 and length >= SECOND:
        return lambda at: _parts_around(at, length, zone)
    return lambda at: (at - at % length, at - at % length + length)


def _days_around(at: int, days: int, zone: ZoneInfo) -> tuple[int, int]:
    day = to_local(at, zone).date()
    start = date.fromordinal((day.toordinal() - 1) // days * days + 1)  # 0001-01-01 was a Monday
    midnights = [to_instant(datetime.combine(each, time(0), zone)) for each in (start, start + timedelta(days=days))]
    return midnights[0], midnights[1]


def _parts_around(at: int, length: int, zone: ZoneInfo) -> tuple[int, int]:
    midnight, next_midnight = _days_around(at, 1, zone)
    start = midnight + (at - midnight) // length * length
    return start, min(start + length, next_midnight)
