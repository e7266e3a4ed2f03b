"""Coalescing: the newest value of each property, everything accounted for, never more than the room there is."""

from hypothesis import given
from hypothesis import strategies as st

from telemetry.live.newest import Newest
from telemetry.live.wire import Reading

PUTS = st.lists(st.tuples(st.integers(1, 3), st.sampled_from("abc"), st.integers(0, 5), st.integers(), st.integers(1, 4)))


def test_the_newer_instant_wins_whatever_the_order_of_arrival() -> None:
    newest = Newest(10)
    newest.put(1, "t", 20, "new")
    newest.put(1, "t", 10, "late")
    assert newest.take() == ([Reading(1, "t", 20, "new", 2)], 0)


def test_of_equal_instants_the_later_arrival_wins() -> None:
    newest = Newest(10)
    newest.put(1, "t", 10, "first")
    newest.put(1, "t", 10, "second")
    assert newest.take()[0][0].value == "second"


def test_taking_empties_it() -> None:
    newest = Newest(10)
    newest.put(1, "t", 10, 1)
    newest.take()
    assert newest.take() == ([], 0)
    assert not newest


def test_there_is_so_much_room_and_what_has_none_is_counted() -> None:
    newest = Newest(2)
    for name in "abcd":
        newest.put(1, name, 10, 1, 3)
    newest.put(1, "a", 11, 2)
    readings, lost = newest.take()
    assert [reading.property for reading in readings] == ["a", "b"]
    assert lost == 6


def test_dropping_a_device_leaves_the_others() -> None:
    newest = Newest(10)
    newest.put(1, "t", 10, 1)
    newest.put(2, "t", 10, 1)
    newest.drop({1})
    assert [reading.device_id for reading in newest.take()[0]] == [2]


@given(PUTS)
def test_nothing_is_lost_without_being_counted(puts: list[tuple[int, str, int, int, int]]) -> None:
    newest = Newest(4)
    for put in puts:
        newest.put(*put)
    readings, lost = newest.take()
    assert sum(reading.times for reading in readings) + lost == sum(put[4] for put in puts)
    assert len(readings) <= 4
    for reading in readings:
        assert reading.at == max(at for device, name, at, _, _ in puts if (device, name) == reading[:2])
