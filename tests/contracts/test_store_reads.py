"""Summaries and neighbours of every store, in whatever state the rollups are."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from devices.messages import Report
from iotpanel.statements import execute
from telemetry import latest, rollups
from telemetry.stores import STORES
from telemetry.stores.base import Reading, Store, Summary
from tests.contracts.store_cases import SECOND, T0, report

MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["memory", "timescale"])
def store(request: pytest.FixtureRequest) -> Store:
    return STORES[request.param]()


def test_a_summary_says_what_a_bucket_holds(store: Store) -> None:
    store.write([report(T0 + offset * SECOND, t=value) for offset, value in [(0, 3), (1, -1), (2, 4.5), (60, 7)]])
    found = store.summaries(1, "t", [T0, T0 + MINUTE, T0 + 2 * MINUTE, T0 + 3 * MINUTE])
    assert found.by_bucket[0] == Summary(3, 3, 6.5, -1, 4.5, 3, T0, 4.5, T0 + 2 * SECOND)
    assert found.by_bucket[1] == Summary(1, 1, 7, 7, 7, 7, T0 + MINUTE, 7, T0 + MINUTE)
    assert set(found.by_bucket) == {0, 1}
    assert found.source == "raw"


def test_buckets_are_half_open(store: Store) -> None:
    store.write([report(T0 + offset, t=offset) for offset in (0, 1, 9, 10)])
    found = store.summaries(1, "t", [T0 + 1, T0 + 10]).by_bucket
    assert [(index, summary.count) for index, summary in found.items()] == [(0, 2)]


def test_booleans_count_as_zero_and_one(store: Store) -> None:
    store.write([report(T0 + index, on=value) for index, value in enumerate([True, False, True])])
    assert store.summaries(1, "on", [T0, T0 + 9]).by_bucket[0] == Summary(3, 3, 2, 0, 1, True, T0, True, T0 + 2)


def test_texts_and_json_have_a_first_and_a_last(store: Store) -> None:
    store.write([report(T0, s="a", j=[1]), report(T0 + 1, s="b", j={"k": None})])
    assert store.summaries(1, "s", [T0, T0 + 9]).by_bucket[0] == Summary(2, 0, None, None, None, "a", T0, "b", T0 + 1)
    assert store.summaries(1, "j", [T0, T0 + 9]).by_bucket[0] == Summary(2, 0, None, None, None, [1], T0, {"k": None}, T0 + 1)


def test_mixed_types_are_summed_by_their_numbers(store: Store) -> None:
    store.write([report(T0, x=5), report(T0 + 1, x="off"), report(T0 + 2, x=7)])
    assert store.summaries(1, "x", [T0, T0 + 9]).by_bucket[0] == Summary(3, 2, 12, 5, 7, 5, T0, 7, T0 + 2)


def test_no_sum_overflows(store: Store) -> None:
    store.write([report(T0 + index, x=1.7e308) for index in range(3)])
    summary = store.summaries(1, "x", [T0, T0 + 9]).by_bucket[0]
    assert summary.high == 1.7e308 and summary.total == pytest.approx(3e290)


def test_hostile_names_are_names(store: Store) -> None:
    for name in ["'; drop table telemetry_report; --", "%s", "a.b", '"', "\\", "$1", "漢", "{0}"]:
        store.write([report(T0, **{name: 1})])
        assert store.summaries(1, name, [T0, T0 + 1]).by_bucket[0].count == 1
        assert store.neighbour(1, name, T0, before=False) == Reading(name, T0, 1)


def test_neighbours(store: Store) -> None:
    store.write([report(T0, t=1, h=1), report(T0 + HOUR, t=2), report(T0 + DAY, h=3)])
    assert store.neighbour(1, "t", T0 + 9 * HOUR, before=True) == Reading("t", T0 + HOUR, 2)
    assert store.neighbour(1, "t", T0 + HOUR, before=True) == Reading("t", T0, 1)
    assert store.neighbour(1, "t", T0, before=True) is None
    assert store.neighbour(1, "t", T0, before=False) == Reading("t", T0, 1)
    assert store.neighbour(1, "h", T0 + 1, before=False) == Reading("h", T0 + DAY, 3)
    assert store.neighbour(1, "t", T0 + DAY, before=False) is None
    assert store.neighbour(2, "t", T0, before=False) is None


# --- What is asked of rollups must be what is asked of the readings ------------------------------------------------

values = st.one_of(st.integers(-1000, 1000), st.floats(-1e6, 1e6), st.booleans(), st.sampled_from(["a", "b"]))
# Instants around hours and days, so that edges are met.
instants = st.builds(
    lambda day, hour, minute, offset: T0 + day * DAY + hour * HOUR + minute * MINUTE + offset,
    st.integers(0, 1),
    st.sampled_from([0, 1, 23]),
    st.sampled_from([0, 1, 59]),
    st.sampled_from([0, 1, MINUTE - 1]),
)
reports = st.tuples(st.integers(1, 2), instants, st.dictionaries(st.sampled_from("xy"), values, min_size=1, max_size=2))
# Either some reports come in, or a step of the rollups runs, as if the clock stood at that time.
steps = st.lists(
    st.one_of(st.lists(reports, min_size=1, max_size=6), st.tuples(instants, st.sampled_from(["begin", "advance", "recompute", "run"])))
)
WIDTHS = [MINUTE, 5 * MINUTE, HOUR, 6 * HOUR, DAY]


@pytest.fixture
def long_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Days of time are rolled up in each example: take them by the hour."""
    monkeypatch.setattr(rollups, "AT_ONCE", HOUR)


def _do(step: Any, plain: Store, real: Store) -> None:
    if isinstance(step, list):
        batch = [Report(device_id, at, found, at) for device_id, at, found in step]
        assert real.write(batch) == plain.write(batch)
        latest.merge(batch)
        return
    now, what = step
    actions: dict[str, Callable[[], object]] = {
        "begin": lambda: rollups.begin(now + MINUTE),
        "advance": rollups.advance,
        "recompute": rollups.recompute,
        "run": lambda: rollups.run(now=now + MINUTE),
    }
    actions[what]()


# Without shrinking: one example takes many statements, and the steps can be read as they are.
@settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(steps, st.sampled_from(WIDTHS), st.sampled_from([0, 1, 90 * SECOND]), st.booleans())
def test_rollups_say_what_the_readings_say(long_steps: None, written: list[Any], width: int, shift: int, all_done: bool) -> None:
    """At every moment of any order of writing, late data, and rollups that stop half-way."""
    plain, real = STORES["memory"](), STORES["timescale"]()
    with transaction.atomic():
        execute("UPDATE telemetry_rollupfrontier SET sealed_to = '2026-01-01 00:00Z', rolled_up_to = '2026-01-01 00:00Z'")
        for step in written:
            _do(step, plain, real)
        if all_done:
            rollups.run(now=T0 + 2 * DAY)
        edges = [T0 + shift, *range(T0 + width + width * (shift // width), T0 + 2 * DAY, width), T0 + 2 * DAY + shift]
        for device_id in (1, 2):
            for name in "xy":
                _compare(plain, real, device_id, name, edges)
        transaction.set_rollback(True)


def _compare(plain: Store, real: Store, device_id: int, name: str, edges: list[int]) -> None:
    expected, found = plain.summaries(device_id, name, edges).by_bucket, real.summaries(device_id, name, edges).by_bucket
    assert _rounded(found) == _rounded(expected)
    for instant in {edges[0], edges[1], edges[-1], T0 + DAY - 1}:
        for before in (True, False):
            assert real.neighbour(device_id, name, instant, before) == plain.neighbour(device_id, name, instant, before)


def _rounded(found: dict[int, Summary]) -> dict[int, Summary]:
    """Sums differ in their last digits by the order of adding."""
    return {index: one._replace(total=None if one.total is None else round(one.total, 3)) for index, one in found.items()}
