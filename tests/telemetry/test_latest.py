"""The newest value of each property, whatever order it comes in."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.messages import Report
from telemetry import latest
from telemetry.models import Latest

pytestmark = pytest.mark.django_db
T0 = 1_767_225_600_000_000


def report(offset: int, device_id: int = 1, **values: Any) -> Report:
    return Report(device_id, T0 + offset, values, T0)


def read(device_id: int = 1) -> dict[str, tuple[Any, int]]:
    return {name: (value, at - T0) for name, (value, at) in latest.read([device_id]).get(device_id, {}).items()}


def test_the_newer_instant_wins_property_by_property() -> None:
    latest.merge([report(10, t=1, h=1)])
    latest.merge([report(5, t=2, p=2)])
    assert read() == {"t": (1, 10), "h": (1, 10), "p": (2, 5)}
    latest.merge([report(20, h=3)])
    assert read() == {"t": (1, 10), "h": (3, 20), "p": (2, 5)}


def test_of_one_instant_the_later_arrival_wins() -> None:
    latest.merge([report(0, t=1), report(0, t=2)])
    assert read() == {"t": (2, 0)}
    latest.merge([report(0, t=3)])
    assert read() == {"t": (3, 0)}


def test_one_batch_in_any_order() -> None:
    latest.merge([report(3, t=3), report(1, t=1, h=1), report(2, t=2)])
    assert read() == {"t": (3, 3), "h": (1, 1)}


def test_a_batch_that_is_partly_older_takes_back_nothing() -> None:
    latest.merge([report(10, t=10)])
    latest.merge([report(5, t=5), report(20, h=20)])
    assert read() == {"t": (10, 10), "h": (20, 20)}


def test_every_type_is_kept() -> None:
    values: dict[str, Any] = {"n": 1.5, "b": False, "s": "é\"'", "j": {"a": [None]}, "list": [1, 2], "big": 2**63 - 1}
    latest.merge([report(0, **values)])
    assert {name: value for name, (value, _) in read().items()} == values


def test_devices_are_kept_apart_and_chosen_properties_are_read() -> None:
    latest.merge([report(0, device_id=1, t=1, h=2), report(0, device_id=2, t=3)])
    assert latest.read([1, 2, 3], ["t"]) == {1: {"t": (1, T0)}, 2: {"t": (3, T0)}}


def test_nothing_writes_nothing() -> None:
    latest.merge([])
    latest.merge([report(0)])
    assert not Latest.objects.exists()


arrivals = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9))), max_size=5), max_size=5
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(arrivals)
def test_it_is_always_the_newest(batches: list[list[tuple[int, dict[str, int]]]]) -> None:
    Latest.objects.all().delete()
    expected: dict[str, tuple[int, int]] = {}
    for batch in batches:
        latest.merge([report(offset, **values) for offset, values in batch])
        for offset, values in batch:
            for name, value in values.items():
                if name not in expected or expected[name][1] <= offset:
                    expected[name] = (value, offset)
    assert read() == expected
