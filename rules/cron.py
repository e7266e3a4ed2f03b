"""When a schedule is due: five fields (minute, hour, day, month, weekday) in a time zone. Pure Python."""

from datetime import date, datetime, time, timedelta
from typing import Any, Final

from .moments import parse_zone, to_instant, to_local
from .problems import BadRule

FIELDS: Final = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
NAMES: Final = {
    "month": ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    "weekday": ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}
FARTHEST: Final = 366 * 8 + 2  # days: the longest from one 29 February to the next


class Cron:
    """As crond understands it: where both day and weekday are narrowed down, one of them is enough; 0 and 7 are Sunday."""

    def __init__(self, text: Any, zone: Any, path: str) -> None:
        parts = text.split() if isinstance(text, str) else []
        if len(parts) != len(FIELDS):
            raise BadRule(f"{path}.cron", "five fields: minute, hour, day, month, weekday")
        self.zone = parse_zone(zone, f"{path}.tz")
        sets = [_field(part, *field, f"{path}.cron") for part, field in zip(parts, FIELDS, strict=True)]
        self.minutes, self.hours, self.days, self.months = (sorted(found) for found in sets[:4])
        self.weekdays = {day % 7 for day in sets[4]}
        self.by_either = parts[2] != "*" and parts[4] != "*"
        if self.after(0) == 0:
            raise BadRule(f"{path}.cron", "this never comes")

    def after(self, at: int) -> int:
        """The first instant (µs) that is due after `at`; 0: never."""
        local = to_local(at, self.zone)
        day = local.date()
        for offset in range(FARTHEST):
            each = day + timedelta(days=offset)
            if self._is_day(each):
                for hour in self.hours:
                    for minute in self.minutes:
                        instant = to_instant(datetime.combine(each, time(hour, minute), self.zone))
                        if instant > at:
                            return instant
        return 0

    def _is_day(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return in_month or in_week if self.by_either else in_month and in_week


def _field(text: str, name: str, low: int, high: int, path: str) -> set[int]:
    found: set[int] = set()
    for part in text.lower().split(","):
        body, slash, step_text = part.partition("/")
        step = _number(step_text, name, 1, high, path) if slash else 1
        if body == "*":
            first, last = low, high
        elif "-" in body:
            first, last = (_number(each, name, low, high, path) for each in body.split("-", 1))
        else:
            first = _number(body, name, low, high, path)
            last = high if slash else first
        if first > last:
            raise BadRule(path, "%(name)s: %(text)s goes backwards", name=name, text=body)
        found.update(range(first, last + 1, step))
    return found


def _number(text: str, name: str, low: int, high: int, path: str) -> int:
    if text in NAMES.get(name, ()):
        return NAMES[name].index(text) + (1 if name == "month" else 0)
    if not text.isascii() or not text.isdigit() or not low <= int(text[:4]) <= high:
        raise BadRule(path, "%(name)s: “%(text)s” is none of %(low)s to %(high)s", name=name, text=text[:20], low=low, high=high)
    return int(text)
