"""What every store promises, run on each of them; on plain PostgreSQL too (see test_plain_postgres)."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.messages import Report
from telemetry.stores import STORES
from telemetry.stores.base import Store, Written
from telemetry.stores.instants import same
from tests.contracts.store_cases import FOREVER, SECOND, T0, codes, everything, report

STORED, DUPLICATE = Written.STORED, Written.DUPLICATE


@pytest.fixture(params=["memory", "timescale"])
def store(request: pytest.FixtureRequest, db: None) -> Store:
    return STORES[request.param]()


def test_it_stores_every_type(store: Store) -> None:
    values: dict[str, Any] = {
        "number": 21.5,
        "big": 2**63 - 1,
        "flag": False,
        "text": "é\n\"'\\",
        "json": {"a": [1, None, {"b": "c"}]},
        "list": [],
    }
    assert store.write([report(**values)]) == [STORED]
    assert everything(store) == {T0: values}


def test_nothing_is_nothing(store: Store) -> None:
    assert store.write([]) == []


def test_it_keeps_devices_apart(store: Store) -> None:
    store.write([report(device_id=1, t=1), report(device_id=2, t=2)])
    assert everything(store, 2) == {T0: {"t": 2}}
    assert everything(store, 3) == {}


def test_the_same_again_is_a_duplicate(store: Store) -> None:
    batch = [report(t=1), report(T0 + SECOND, t=2)]
    assert store.write(batch) == [STORED, STORED]
    assert store.write([*batch, report(T0 + 1, t=3)]) == [DUPLICATE, DUPLICATE, STORED]
    assert everything(store) == {T0: {"t": 1}, T0 + 1: {"t": 3}, T0 + SECOND: {"t": 2}}


def test_what_changes_an_instant_merges_in(store: Store) -> None:
    store.write([report(t=1)])
    assert store.write([report(h=2), report(t=1), report(t=5, h=2)]) == [STORED, DUPLICATE, STORED]
    assert everything(store) == {T0: {"t": 5, "h": 2}}


def test_reports_of_one_instant_in_one_batch_merge_in_their_order(store: Store) -> None:
    batch = [report(t=1), report(t=1), report(t=2, h=1), report(t=2)]
    assert store.write(batch) == [STORED, DUPLICATE, STORED, DUPLICATE]
    assert everything(store) == {T0: {"t": 2, "h": 1}}


def test_a_value_that_goes_there_and_back_counts_as_changed(store: Store) -> None:
    store.write([report(t=2)])
    assert store.write([report(t=1), report(t=2)]) == [STORED, STORED]
    assert everything(store) == {T0: {"t": 2}}


def test_the_same_object_twice_is_a_duplicate(store: Store) -> None:
    one = report(t=1)
    assert store.write([one, one]) == [STORED, DUPLICATE]


def test_one_is_one_point_zero_and_not_true(store: Store) -> None:
    store.write([report(t=1)])
    assert store.write([report(t=1.0)]) == [DUPLICATE]
    assert store.write([report(t=True)]) == [STORED]
    assert everything(store) == {T0: {"t": True}}


@pytest.mark.parametrize("poison", ["\0", "\ud800", 2**70, {"deep": ["\0"]}, {1: 2}])
@pytest.mark.parametrize("place", [0, 3, 6])
def test_only_the_poison_is_refused(store: Store, poison: Any, place: int) -> None:
    batch = [report(T0 + index, t=index) for index in range(7)]
    batch[place] = report(T0 + place, t=poison)
    expected = ["stored"] * 7
    expected[place] = "store_refused"
    assert codes(store.write(batch)) == expected
    assert everything(store) == {T0 + index: {"t": index} for index in range(7) if index != place}


def test_poison_costs_no_neighbour_of_its_instant(store: Store) -> None:
    batch = [report(t=1), report(t="\0"), report(h=2), report(t=1)]
    assert codes(store.write(batch)) == ["stored", "store_refused", "stored", "duplicate"]
    assert everything(store) == {T0: {"t": 1, "h": 2}}


def test_a_poisoned_name_is_refused(store: Store) -> None:
    assert codes(store.write([report(**{"\0": 1}), report(ok=1)])) == ["store_refused", "stored"]


def test_ten_years_back_and_a_day_ahead(store: Store) -> None:
    moments = [T0 - 10 * 365 * 86_400 * SECOND, T0 + 86_400 * SECOND, 1]
    assert store.write([report(at, t=1) for at in moments]) == [STORED] * 3
    assert sorted(everything(store)) == sorted(moments)


def test_raw_readings_come_in_pages(store: Store) -> None:
    store.write([report(T0 + index, a=index, b=-index) for index in range(5)])
    for newest_first in (True, False):
        whole = store.readings(1, [], T0 + 1, T0 + 4, newest_first, 100, None)
        paged, after = [], None
        while page := store.readings(1, [], T0 + 1, T0 + 4, newest_first, 2, after):
            paged += page
            after = (page[-1].at, page[-1].property)
        assert paged == whole
        assert [(name, value) for name, _, value in whole][:2] == ([("a", 3), ("b", -3)] if newest_first else [("a", 1), ("b", -1)])
        assert len(whole) == 6


def test_raw_readings_of_chosen_properties(store: Store) -> None:
    store.write([report(T0, a=1, b=2, c=3), report(T0 + 1, b=4)])
    assert [(name, value) for name, _, value in store.readings(1, ["a", "b"], 0, FOREVER, False, 9, None)] == [("a", 1), ("b", 2), ("b", 4)]


json_values = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text("ab\né漢", max_size=4),
    st.just([1, {}]),
)
rows = st.tuples(st.integers(1, 2), st.integers(0, 3), st.dictionaries(st.sampled_from("xyz"), json_values, min_size=1))
batches = st.lists(st.lists(rows, max_size=8), max_size=4)


def _by_text(rows: dict[int, Any]) -> dict[str, Any]:
    return {str(at): values for at, values in rows.items()}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(batches)
def test_every_store_says_and_keeps_the_same(db: None, written: list[list[tuple[int, int, dict[str, Any]]]]) -> None:
    """The plain one in memory is the measure, for whatever comes in whatever order."""
    plain, real = STORES["memory"](), STORES["timescale"]()
    with transaction.atomic():
        for batch in written:
            reports = [Report(device_id, T0 + offset, values, T0) for device_id, offset, values in batch]
            assert real.write(reports) == plain.write(reports)
        for device_id in (1, 2):
            assert same(_by_text(everything(real, device_id)), _by_text(everything(plain, device_id)))
        transaction.set_rollback(True)
