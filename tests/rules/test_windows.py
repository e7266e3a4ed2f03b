"""Windows that sum up as readings come say the same as a look at all readings."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.durations import DAY, SECOND
from rules.moments import edges
from rules.windows import Cell, Sliding, Tumbling, aggregate, merged

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda number: round(number, 3))
STREAMS = st.lists(st.tuples(st.integers(0, 400), NUMBERS), min_size=1, max_size=50)


def naive(readings: list[tuple[int, float]], low: int, high: int) -> dict[str, Any]:
    """The readings of (low, high], in the plainest way."""
    inside = sorted(((at, n) for n, (at, _) in enumerate(readings) if low < at <= high), key=lambda pair: pair)
    values = [readings[n][1] for _, n in inside]
    if not values:
        return {}
    return {"count": len(values), "sum": sum(values), "min": min(values), "max": max(values), "first": values[0], "last": values[-1]}


def said(cell: Cell | None) -> dict[str, Any]:
    if cell is None:
        return {}
    return {kind: aggregate(kind, cell, None, 1) for kind in ("count", "sum", "min", "max", "first", "last")}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(one[name] == pytest.approx(other[name], abs=1e-6) for name in one)


@given(STREAMS, st.integers(1, 120))
@settings(max_examples=60, deadline=None)
def test_a_sliding_window_is_what_a_naive_look_says(stream: list[tuple[int, float]], length: int) -> None:
    readings = sorted(stream, key=lambda pair: pair[0])
    window = Sliding(length)
    for place, (at, value) in enumerate(readings):
        window.add(at, value)
        assert same(said(window.look(at)), naive(readings[: place + 1], at - length, at))


@given(STREAMS, st.integers(20, 120))
@settings(max_examples=40, deadline=None)
def test_what_comes_late_is_put_where_it_belongs(stream: list[tuple[int, float]], length: int) -> None:
    """In any order of arrival, as long as nothing is asked in between."""
    instants = dict(stream)  # one value an instant: of two, the order of arrival would decide
    window = Sliding(length)
    for at, value in instants.items():
        window.add(at, value)
    newest = max(instants)
    assert same(said(window.look(newest)), naive(list(instants.items()), newest - length, newest))


@given(STREAMS, st.integers(1, 60))
@settings(max_examples=40, deadline=None)
def test_a_tumbling_window_begins_anew_at_its_edge(stream: list[tuple[int, float]], length: int) -> None:
    readings = sorted(stream, key=lambda pair: pair[0])
    window = Tumbling(lambda at: (at - at % length, at - at % length + length))
    for place, (at, value) in enumerate(readings):
        window.add(at, value)
        start = at - at % length
        assert same(said(window.look(at)), naive(readings[: place + 1], start - 1, at))


def test_a_huge_number_that_has_left_leaves_nothing_behind() -> None:
    window = Sliding(10)
    for at, value in ((0, 1e18), (5, 0.1), (11, 0.2)):
        window.add(at, value)
    assert said(window.look(11))["sum"] == pytest.approx(0.3)


def test_a_window_with_very_many_readings_is_bounded_and_still_right() -> None:
    window = Sliding(100_000, most=500)
    for at in range(0, 200_000, 10):
        window.add(at, 1.0)
    cell = window.look(199_990)
    assert len(window) <= 1_500
    assert cell is not None
    assert cell.size == pytest.approx(10_000, rel=0.01)


def test_delta_and_rate() -> None:
    window = Tumbling(edges(DAY, ZoneInfo("Europe/Berlin")))
    midnight = 1_795_647_600 * SECOND  # 2026-11-26 00:00 in Berlin
    window.add(midnight - 60 * SECOND, 100)
    window.add(midnight + 3_600 * SECOND, 104)
    cell = window.look(midnight + 3_600 * SECOND)
    assert aggregate("delta", cell, window.base, 1) == 4  # since before midnight, not since the first of the day
    sliding = Sliding(DAY)
    sliding.add(0, 10)
    assert aggregate("rate", sliding.look(0), None, 3_600 * SECOND) is None
    sliding.add(1_800 * SECOND, 15)
    assert aggregate("rate", sliding.look(1_800 * SECOND), None, 3_600 * SECOND) == 10


@pytest.mark.parametrize(("kind", "expected"), [("count", 0), ("sum", 0), ("avg", None), ("max", None), ("delta", None)])
def test_an_empty_window(kind: str, expected: float | None) -> None:
    assert aggregate(kind, None, None, 1) == expected
    assert merged(None, None) is None
