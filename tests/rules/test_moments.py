"""Hours, weekdays, holidays, time zones, and crontabs."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from rules.cron import Cron
from rules.durations import DAY, BadSpan, parse_span, show_span
from rules.moments import Hours, edges, to_instant, to_local

BERLIN = {"tz": "Europe/Berlin"}


def instant(text: str) -> int:
    return to_instant(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-27T07:59", False),
        ("2026-11-27T08:00", True),
        ("2026-11-27T17:59", True),
        ("2026-11-27T18:00", False),
        ("2026-11-28T12:00", False),  # a Saturday
        ("2026-12-25T12:00", False),  # a holiday
    ],
)
def test_working_hours(at: str, expected: bool) -> None:
    spec = {"weekdays": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00", "holidays": ["2026-12-25"], **BERLIN}
    assert Hours(spec, "active").hold(instant(at)) is expected


def test_a_night_belongs_to_the_day_on_which_it_began() -> None:
    friday = Hours({"weekdays": ["fri"], "from": "22:00", "to": "06:00", **BERLIN}, "active")
    assert friday.hold(instant("2026-11-27T23:00"))
    assert friday.hold(instant("2026-11-28T05:59"))
    assert not friday.hold(instant("2026-11-28T23:00"))
    assert not friday.hold(instant("2026-11-27T05:00"))


def test_answers_in_any_order_of_time_are_right() -> None:
    hours = Hours({"from": "08:00", "to": "18:00", **BERLIN}, "active")
    late, early = instant("2026-11-27T12:00"), instant("2026-11-26T03:00")
    assert [hours.hold(at) for at in (late, early, late)] == [True, False, True]
    assert to_local(hours.changes(late), hours.zone).hour == 18


def test_a_day_is_from_midnight_to_midnight_also_when_clocks_change() -> None:
    start, end = edges(DAY, ZoneInfo("Europe/Berlin"))(instant("2026-10-25T12:00"))
    assert (end - start) / DAY * 24 == 25
    assert to_local(start, ZoneInfo("Europe/Berlin")).isoformat() == "2026-10-25T00:00:00+02:00"


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("0 6 * * *", "2026-11-27T06:00", "2026-11-28T06:00"),
        ("*/15 * * * *", "2026-11-27T06:01", "2026-11-27T06:15"),
        ("30 8 * * mon-fri", "2026-11-27T09:00", "2026-11-30T08:30"),
        ("0 0 29 2 *", "2026-03-01T00:00", "2028-02-29T00:00"),
        ("0 12 13 * fri", "2026-11-27T13:00", "2026-12-04T12:00"),  # either is enough
        ("0 0 * * 7", "2026-11-27T00:00", "2026-11-29T00:00"),
    ],
)
def test_schedules(text: str, after: str, expected: str) -> None:
    cron = Cron(text, "Europe/Berlin", "trigger")
    assert to_local(cron.after(instant(after)), cron.zone).strftime("%Y-%m-%dT%H:%M") == expected


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("5m", 300), ("1.5h", 5_400), ("1d", 86_400), (30, 30), ("2w", 1_209_600)])
def test_spans(text: str | int, seconds: int) -> None:
    assert parse_span(text) == seconds * 1_000_000
    assert parse_span(show_span(seconds * 1_000_000)) == seconds * 1_000_000


@pytest.mark.parametrize("text", ["", "5", "5 minutes", "-1s", "0s", "1e3s", "10y", None, True, "9999999999d", float("nan"), float("inf")])
def test_what_is_no_span(text: object) -> None:
    with pytest.raises(BadSpan):
        parse_span(text)
