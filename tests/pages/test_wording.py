"""How numbers, values, times and bytes are written."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from iotpanel.pages import wording


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_600, "1 h"),
        (172_799, "47 h"),
        (172_800, "2 d"),
        (9e6, "104 d"),
    ],
)
def test_a_span_is_told_in_its_largest_unit(seconds: float, text: str) -> None:
    assert wording.span(seconds) == text


@pytest.mark.parametrize(
    ("value", "precision", "text"),
    [
        (0, None, "0"),
        (-13.08, 1, "−13.1"),
        (1_284, None, "1,284"),
        (21.0, None, "21"),
        (21.50, None, "21.5"),
        (0.1 + 0.2, None, "0.3"),
        (1234567.891, 2, "1,234,567.89"),
        (5, 2, "5.00"),
        (2**63, None, "9,223,372,036,854,775,808"),
        (1e300, None, f"{1e300:,.0f}"),
    ],
)
def test_numbers_are_grouped_and_rounded(value: float, precision: int | None, text: str) -> None:
    assert wording.number(value, precision) == text


@pytest.mark.parametrize(
    ("reading", "text"), [(None, "–"), (True, "on"), (False, "off"), ("<b>", "<b>"), ({"a": [1]}, '{"a":[1]}'), ([], "[]"), (-2.5, "−2.5")]
)
def test_a_reading_of_any_type_is_one_line(reading: Any, text: str) -> None:
    assert wording.value(reading) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1_500, "1.5 KB"), (150_000, "150 KB"), (38.2e9, "38.2 GB"), (5e13, "50.0 TB")]
)
def test_sizes_are_told_in_the_unit_that_people_read(count: float, text: str) -> None:
    assert wording.size(count) == text


def test_bytes_are_shown_as_hex_and_as_text() -> None:
    assert wording.hexes(b"\x01\xff") == "01 ff"
    assert wording.hexes(b"\x00" * 5, limit=3) == "00 00 00 …"
    assert wording.text(b"ok\xff") == "ok\ufffd"


def test_ages_are_relative_under_a_day_and_absolute_beyond() -> None:
    now = timezone.now()
    assert wording.ago(now - timedelta(minutes=47)) == "47 min ago"
    assert wording.ago_short(now - timedelta(hours=5)) == "5 h"
    assert "ago" not in wording.ago(now - timedelta(days=3))


def test_chinese_has_its_own_units() -> None:
    with translation.override("zh-hans"):
        assert wording.span(2_820) == "47 分钟"
        assert wording.ago(timezone.now() - timedelta(minutes=47)) == "47 分钟前"
