"""Buckets as people ask for them: aggregates, zones, gaps, pages."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.messages import Report
from devices.timestamps import to_microseconds
from telemetry import history
from telemetry.history import HistoryError
from telemetry.stores.base import Store
from telemetry.stores.memory import MemoryStore

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
T0 = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


def fill(store: Store, *readings: tuple[int, Any], name: str = "t") -> None:
    store.write([Report(1, at, {name: value}, at) for at, value in readings])


def ask(**overrides: Any) -> list[tuple[int, Any, int]]:
    """(minutes since T0, value, count) of each bucket, oldest first."""
    question: dict[str, Any] = {
        "properties": ["t"],
        "start": T0,
        "end": T0 + 10 * MINUTE,
        "bucket": "1m",
        "newest_first": False,
        "limit": 1000,
    } | overrides
    return [((row.at - T0) // MINUTE, row.value, row.count) for row in history.buckets(1, **question).results]


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [("avg", 3.0), ("min", 1), ("max", 6), ("sum", 9), ("count", 3), ("first", 2), ("last", 1), ("delta", -1), (None, 3.0)],
)
def test_aggregates(store: Store, aggregate: str | None, expected: float) -> None:
    fill(store, (T0, 2), (T0 + 1, 6), (T0 + 2, 1))
    assert ask(aggregate=aggregate) == [(0, expected, 3)]


def test_without_an_aggregate_what_is_no_number_shows_its_last(store: Store) -> None:
    for name, one, other in [("text", "a", "b"), ("flag", True, False), ("doc", {"a": 1}, [2])]:
        fill(store, (T0, one), (T0 + 1, other), name=name)
        assert ask(properties=[name]) == [(0, other, 2)]
    assert ask(properties=["flag"], aggregate="avg") == [(0, 0.5, 2)]
    assert ask(properties=["text"], aggregate="avg") == [(0, None, 2)]


def test_empty_buckets_are_left_out_or_filled(store: Store) -> None:
    fill(store, (T0 + MINUTE, 1), (T0 + 3 * MINUTE, 5))
    window = {"end": T0 + 5 * MINUTE}
    assert ask(**window) == [(1, 1, 1), (3, 5, 1)]
    assert ask(**window, fill="null") == [(0, None, 0), (1, 1, 1), (2, None, 0), (3, 5, 1), (4, None, 0)]
    assert ask(**window, fill="previous") == [(0, None, 0), (1, 1, 1), (2, 1, 0), (3, 5, 1), (4, 5, 0)]
    assert ask(**window, fill="linear") == [(0, None, 0), (1, 1, 1), (2, 3.0, 0), (3, 5, 1), (4, None, 0)]
    assert [value for _, value, _ in ask(**window, fill="null", aggregate="count")] == [0, 1, 0, 1, 0]


def test_filling_knows_what_lies_outside(store: Store) -> None:
    fill(store, (T0 - HOUR, 2), (T0 + 20 * MINUTE, 10))
    assert ask(fill="previous", end=T0 + 2 * MINUTE) == [(0, 2, 0), (1, 2, 0)]
    assert ask(fill="linear", end=T0 + 2 * MINUTE) == [(0, 8.0, 0), (1, 8.1, 0)]


def test_linear_is_for_numbers_only(store: Store) -> None:
    fill(store, (T0, "a"), (T0 + 2 * MINUTE, "b"))
    assert ask(fill="linear", end=T0 + 3 * MINUTE) == [(0, "a", 1), (1, None, 0), (2, "b", 1)]


def test_deltas_reach_over_the_edge_of_buckets(store: Store) -> None:
    """What a meter counted between two buckets is lost to none of them."""
    fill(store, (T0 - 3 * DAY, 90), *((T0 + index * 20 * SECOND, 100 + index) for index in range(7)))
    assert ask(aggregate="delta") == [(0, 12, 3), (1, 3, 3), (2, 1, 1)]
    assert ask(aggregate="delta", start=T0 - 4 * DAY, end=T0 - 2 * DAY, bucket="1d") == [(-3 * 1440, 0, 1)]
    assert sum(value for _, value, _ in ask(aggregate="delta")) == 106 - 90


def test_a_counter_that_restarts_shows_a_negative_delta(store: Store) -> None:
    fill(store, (T0, 100), (T0 + MINUTE, 3))
    assert ask(aggregate="delta") == [(0, 0, 1), (1, -97, 1)]


def test_days_of_a_zone_with_a_change_of_clocks(store: Store) -> None:
    def berlin(text: str) -> int:
        return to_microseconds(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")))

    begin, end = berlin("2026-03-28T00:00"), berlin("2026-03-31T00:00")
    fill(store, *((at, 1) for at in range(begin, end, HOUR)))
    found = history.buckets(
        1, properties=["t"], start=begin, end=end, bucket="1d", aggregate="count", tz="Europe/Berlin", newest_first=False
    )
    assert [row.value for row in found.results] == [24, 23, 24]
    assert [row.at for row in found.results] == [berlin(f"2026-03-{day}T00:00") for day in (28, 29, 30)]


def test_the_outer_buckets_hold_what_was_asked_only(store: Store) -> None:
    fill(store, *((T0 + offset * SECOND, offset) for offset in range(0, 180, 10)))
    assert ask(start=T0 + 30 * SECOND, end=T0 + 70 * SECOND, aggregate="count") == [(0, 3, 3), (1, 1, 1)]


def test_open_ends_reach_from_the_oldest_to_the_newest(store: Store) -> None:
    fill(store, (T0 - 400 * DAY, 1), (T0, 2))
    for newest_first in (True, False):
        found = ask(start=None, end=None, newest_first=newest_first)
        assert found == ([(0, 2, 1), (-400 * 1440, 1, 1)] if newest_first else [(-400 * 1440, 1, 1), (0, 2, 1)])
    assert ask(start=None, end=None, properties=["nothing"]) == []


def test_several_properties(store: Store) -> None:
    store.write([Report(1, T0, {"a": 1, "b": 2}, T0), Report(1, T0 + MINUTE, {"b": 3}, T0)])
    page = history.buckets(1, properties=["b", "a", "b"], start=T0, end=T0 + HOUR, bucket="1m")
    assert [(row.property, row.at - T0, row.value) for row in page.results] == [("b", MINUTE, 3), ("a", 0, 1), ("b", 0, 2)]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"aggregate": "median"}, "aggregate"), ({"fill": "magic"}, "fill"), ({"bucket": "soon"}, "bucket"), ({"tz": "Moon"}, "tz"),
     ({"properties": []}, "property"), ({"cursor": "x"}, "cursor"), ({"cursor": "1:\0"}, "cursor"), ({"cursor": "９:a"}, "cursor")],
)  # fmt: skip
def test_what_is_wrong_is_named(store: Store, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(HistoryError) as error:
        ask(**wrong)
    assert error.value.field == field


sparse = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 400), st.integers(-5, 5)), min_size=1, max_size=25)
hows = st.fixed_dictionaries(
    {
        "bucket": st.sampled_from(["1m", "7m", "1h"]),
        "newest_first": st.booleans(),
        "fill": st.sampled_from([None, "null", "previous", "linear"]),
    }
)


@settings(max_examples=60, deadline=None)
@given(sparse, hows, st.integers(1, 7))
@example([("a", 0, 0), ("a", 360, 0), ("a", 390, 1)], {"bucket": "1h", "newest_first": False, "fill": "linear"}, 1)
@example([("a", 0, 0), ("a", 360, 0), ("a", 390, 1)], {"bucket": "1h", "newest_first": True, "fill": "linear"}, 1)
@example([("a", 1, 9), ("a", 30, 0), ("a", 240, 4)], {"bucket": "1h", "newest_first": False, "fill": "previous"}, 1)
@example([("a", 1, 9), ("a", 30, 0), ("a", 240, 4)], {"bucket": "1h", "newest_first": True, "fill": "linear"}, 1)
def test_pages_put_together_are_the_whole(readings: list[tuple[str, int, int]], how: dict[str, Any], limit: int) -> None:
    memory = MemoryStore()
    memory.write([Report(1, T0 + minute * MINUTE, {name: value}, T0) for name, minute, value in readings])
    question: dict[str, Any] = {"properties": ["a", "b"], "start": T0 + 90 * SECOND, "end": T0 + 390 * MINUTE} | how
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("telemetry.history.bucketed.store", lambda: memory)
        whole = history.buckets(1, **question, limit=100_000)
        paged, cursor = [], None
        while page := history.buckets(1, **question, limit=limit, cursor=cursor):
            assert len(page.results) <= limit
            paged += page.results
            cursor = page.next
            if cursor is None:
                break
    assert whole.next is None
    assert paged == whole.results
