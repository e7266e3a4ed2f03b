"""What a device may write as its time, and what becomes of it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.exceptions import Invalid
from devices.timestamps import AHEAD, BACK, parse_ts

NOW = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
DAY = 86_400_000_000


@pytest.mark.parametrize(
    ("value", "at"),
    [
        (1767225600, NOW),
        (1767225600.5, NOW + 500_000),
        (1767225600.123456, NOW + 123_456),
        (1767225600000, NOW),
        (1767225600000.25, NOW + 250),
        (1767225600123.456, NOW + 123_456),
        (1767225600123456, NOW + 123_456),
        (1767225600123456.0, NOW + 123_456),
        (1767225600123456789, NOW + 123_457),
        (1767225600123456499, NOW + 123_456),
        ("2026-01-01T00:00:00Z", NOW),
        ("2026-01-01T00:00:00.123456Z", NOW + 123_456),
        ("2026-01-01T08:00:00+08:00", NOW),
        ("2025-12-31T18:30:00-05:30", NOW),
        ("20260101T000000Z", NOW),
        ("2026-01-01 00:00:00+00:00", NOW),
    ],
)
def test_it_reads_every_unit_and_iso_8601_to_the_microsecond(value: Any, at: int) -> None:
    assert parse_ts(value, NOW) == at


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        [],
        {},
        b"2026",
        "",
        "yesterday",
        "1767225600",
        "2026-01-01T00:00:00",
        "2026-01-01",
        "2026-13-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "2" * 100_000,
        0,
        -1,
        -1767225600000,
        float("nan"),
        float("inf"),
        float("-inf"),
        1e300,
        2**63,
        2**64 - 1,
        253402300799000,
    ],
)
def test_what_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_ts(value, NOW)
    assert refusal.value.code == "bad_timestamp"
    assert len(refusal.value.detail) < 120


@pytest.mark.parametrize("offset", [AHEAD, 0, -BACK])
def test_the_window_includes_its_ends(offset: int) -> None:
    assert parse_ts(NOW + offset, NOW) == NOW + offset


@pytest.mark.parametrize("offset", [AHEAD + 1, -BACK - 1])
def test_outside_of_the_window_is_refused(offset: int) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_ts(NOW + offset, NOW)
    assert refusal.value.code == "bad_timestamp"


def test_ten_years_are_ten_years() -> None:
    assert datetime.fromtimestamp((NOW - BACK) / 1e6, UTC).date().isoformat() == "2016-01-01"
    assert AHEAD == DAY


@given(st.integers(NOW - BACK, NOW + AHEAD))
def test_any_unit_gives_the_same_instant(at: int) -> None:
    assert parse_ts(at, NOW) == at
    assert parse_ts(at * 1000, NOW) == at
    assert parse_ts(at / 1000, NOW) == at
    assert parse_ts(at / 1_000_000, NOW) == at
    moment = datetime.fromtimestamp(0, UTC).replace(microsecond=0)
    assert parse_ts((moment + (datetime.fromtimestamp(at // 1_000_000, UTC) - moment)).isoformat(), NOW) == at // 1_000_000 * 1_000_000


@given(st.one_of(st.floats(), st.integers(), st.text(), st.booleans(), st.none(), st.lists(st.integers())))
def test_nothing_else_than_invalid_ever_comes_out(value: Any) -> None:
    try:
        at = parse_ts(value, NOW)
    except Invalid as refusal:
        assert refusal.code == "bad_timestamp"
    else:
        assert NOW - BACK <= at <= NOW + AHEAD
