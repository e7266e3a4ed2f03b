"""From when to when a state held."""

import pytest

from devices.messages import Report
from iotpanel.tenants.models import Tenant
from telemetry.states import SECOND, Segment, states, step_for
from telemetry.stores import store
from tests import make

MINUTE = 60 * SECOND
START = 1_767_225_600 * SECOND  # 2026-01-01, long before now


def write(device_id: int, values: list[tuple[int, object]]) -> None:
    store().write([Report(device_id, START + minute * MINUTE, {"state": value}, START) for minute, value in values])


def read(device_id: int, first: int, last: int, *, points: int = 10_000, period: float | None = None) -> list[tuple[float, float, object]]:
    """The segments in minutes since START."""
    found = states(device_id, "state", START + first * MINUTE, START + last * MINUTE, points=points, period=period)
    return [((s.start - START) / MINUTE, (s.end - START) / MINUTE, s.value) for s in found.segments]


@pytest.fixture
def device(tenant: Tenant) -> int:
    return make.make_device(tenant).pk


def test_a_state_holds_until_the_next(device: int) -> None:
    write(device, [(0, False), (1, False), (5, True), (7, False), (9, False)])
    assert read(device, 0, 10) == [(0, 5, False), (5, 7, True), (7, 10, False)]


def test_the_state_before_the_window_reaches_into_it(device: int) -> None:
    write(device, [(0, "a"), (20, "b")])
    assert read(device, 10, 30) == [(0, 20, "a"), (20, 30, "b")]


def test_true_is_not_one(device: int) -> None:
    write(device, [(0, True), (1, 1), (2, 1.0)])
    assert [value for _, _, value in read(device, 0, 3)] == [True, 1]


def test_where_something_was_expected_a_silence_ends_the_state(device: int) -> None:
    write(device, [(0, True), (1, True), (2, True), (60, True), (61, False)])
    found = read(device, 0, 90, period=60)
    assert [(start, value) for start, _, value in found] == [(0, True), (60, True), (61, False)]
    assert found[0][1] == 2
    assert 61 < found[2][1] <= 64


def test_a_change_inside_a_coarse_step_is_still_seen(device: int) -> None:
    write(device, [(minute, minute % 60 < 30) for minute in range(0, 600, 5)])
    values = [value for _, _, value in read(device, 0, 600, points=20)]
    assert values == [True, False] * 10


def test_nothing_is_nothing(device: int) -> None:
    assert read(device, 0, 10) == []


def test_json_states_are_compared_by_value(device: int) -> None:
    write(device, [(0, {"a": 1, "b": 2}), (1, {"b": 2, "a": 1}), (2, {"a": 2})])
    assert [value for _, _, value in read(device, 0, 3)] == [{"a": 1, "b": 2}, {"a": 2}]


@pytest.mark.parametrize(("seconds", "points", "step"), [(60, 60, 1), (3_600, 100, 60), (86_400, 360, 300), (10**12, 10, 2_592_000)])
def test_steps_are_round(seconds: int, points: int, step: int) -> None:
    assert step_for(seconds * SECOND, points) == step


def test_a_segment_says_its_instants_in_microseconds(device: int) -> None:
    write(device, [(0, "a")])
    found = states(device, "state", START, START + MINUTE, points=100, period=None)
    assert found.segments == [Segment(START, START + MINUTE, "a")]
    assert found.readings == 1
