"""Where buckets begin and end, in zones and on days that are not like others."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.timestamps import to_datetime, to_microseconds
from telemetry.history.errors import HistoryError
from telemetry.history.rulers import ruler
from telemetry.history.windows import backward, forward

SIZES = ["1s", "7s", "1m", "5m", "15m", "7m", "1h", "2h", "6h", "7h", "12h", "24h", "1d", "2d", "1w", "1mo", "3mo", "1y", "90s", "36h"]
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Beirut",
    "Pacific/Apia",
]


def us(text: str, tz: str = "UTC") -> int:
    return to_microseconds(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz)))


def starts(bucket: str, tz: str, start: str, end: str) -> list[str]:
    window = forward(ruler(bucket, tz), us(start, tz), us(end, tz), 10_000)
    return [to_datetime(at).astimezone(ZoneInfo(tz)).isoformat(timespec="minutes") for at in window.starts[:-1]]


def test_hours_begin_on_the_hour_of_the_zone() -> None:
    assert starts("1h", "Asia/Kolkata", "2026-01-01T10:20", "2026-01-01T12:00") == ["2026-01-01T10:00+05:30", "2026-01-01T11:00+05:30"]


def test_days_are_those_of_the_zone() -> None:
    assert starts("1d", "Europe/Berlin", "2026-03-28T12:00", "2026-03-31T00:00") == [
        "2026-03-28T00:00+01:00",
        "2026-03-29T00:00+01:00",
        "2026-03-30T00:00+02:00",
    ]


@pytest.mark.parametrize(
    ("day", "next_day", "hours"), [("2026-03-29", "2026-03-30", 23), ("2026-10-25", "2026-10-26", 25), ("2026-06-01", "2026-06-02", 24)]
)
def test_a_day_has_as_many_hours_as_pass(day: str, next_day: str, hours: int) -> None:
    assert len(starts("1h", "Europe/Berlin", f"{day}T00:00", f"{next_day}T00:00")) == hours


def test_longer_hours_keep_to_the_clock_on_the_wall() -> None:
    found = starts("6h", "Europe/Berlin", "2026-03-29T00:00", "2026-03-30T12:00")
    assert [start[11:16] for start in found] == ["00:00", "06:00", "12:00", "18:00", "00:00", "06:00"]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    def days(bucket: str, start: str, end: str) -> list[str]:
        return [found[:10] for found in starts(bucket, "Europe/Berlin", f"{start}T00:00", f"{end}T00:00")]

    assert days("1w", "2026-01-01", "2026-01-13") == ["2025-12-29", "2026-01-05", "2026-01-12"]
    assert days("1mo", "2026-02-10", "2026-04-02") == ["2026-02-01", "2026-03-01", "2026-04-01"]
    assert days("3mo", "2026-02-10", "2026-04-02") == ["2026-01-01", "2026-04-01"]
    assert days("1y", "2024-02-10", "2025-04-02") == ["2024-01-01", "2025-01-01"]


def test_a_day_that_has_no_midnight_begins_after_it() -> None:
    assert starts("1d", "Asia/Beirut", "2026-03-29T12:00", "2026-03-29T13:00") == ["2026-03-29T01:00+03:00"]


@pytest.mark.parametrize("bucket", ["", "5", "m", "0m", "-5m", "5 m", "1mo1d", "99999m", "1.5h", "１h", "1ms", "102y", "9999mo"])
def test_sizes_that_are_none(bucket: str) -> None:
    with pytest.raises(HistoryError) as error:
        ruler(bucket)
    assert error.value.field == "bucket"


@pytest.mark.parametrize("tz", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "Europe", "a\0b", "x" * 5000])
def test_zones_that_are_none(tz: str) -> None:
    with pytest.raises(HistoryError) as error:
        ruler("1h", tz)
    assert error.value.field == "tz"


INSTANTS = st.integers(us("1990-01-01"), us("2037-01-01"))


@given(st.sampled_from(SIZES), st.sampled_from(ZONES), INSTANTS)
def test_every_instant_lies_in_exactly_one_bucket(size: str, tz: str, at: int) -> None:
    measure = ruler(size, tz)
    start = measure.floor(at)
    end = measure.next(start)
    assert start <= at < end
    assert measure.floor(start) == start
    assert measure.floor(end) == end and measure.floor(end - 1) == start


@given(
    st.sampled_from(SIZES),
    st.sampled_from(ZONES),
    INSTANTS,
    st.integers(1, 20),
    st.integers(1, 10**14),
)
def test_windows_from_both_ends_hold_the_same_buckets(size: str, tz: str, start: int, limit: int, length: int) -> None:
    measure = ruler(size, tz)
    end = start + min(length, 50 * measure.nominal)
    every = forward(measure, start, end, 10_000).starts
    assert forward(measure, start, end, limit).starts == every[: limit + 1]
    assert backward(measure, start, end, limit).starts == every[-limit - 1 :]
    assert forward(measure, start, end, 10_000).edges[0] == start and backward(measure, start, end, limit).edges[-1] == end
