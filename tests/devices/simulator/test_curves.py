"""The curves are smooth, bounded, and the same every time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.simulator.curves import chance, daily, elapsed, noise, occupancy, sun, within

instants = st.floats(1.6e9, 2.0e9)


@given(instants, st.text(max_size=5))
def test_they_stay_in_their_ranges(at: float, seed: str) -> None:
    assert -1 <= noise(seed, at, 300) <= 1
    assert -1 <= daily(at, 15) <= 1
    assert 0 <= sun(at) <= 1
    assert 0 <= occupancy(seed, at) <= 1
    assert 0 <= chance(seed, int(at)) < 1


@given(instants)
def test_they_do_not_jump(at: float) -> None:
    assert abs(noise("a", at, 300) - noise("a", at + 1, 300)) < 0.02
    assert abs(daily(at, 15) - daily(at + 1, 15)) < 0.001


def test_the_same_question_has_the_same_answer() -> None:
    assert noise("a", 1.7e9, 300) == noise("a", 1.7e9, 300)
    assert len({round(noise(seed, 1.7e9, 300), 6) for seed in "abcdef"}) == 6


@pytest.mark.parametrize("share", [1.0, 0.5, 0.0])
def test_an_event_comes_once_in_each_period_or_not_at_all(share: float) -> None:
    for period in range(200):
        seconds = [second for second in range(600) if within("door", period * 600.0 + second, 600, 60, share)]
        assert len(seconds) in ({59, 60, 61} if share == 1 else {0} if share == 0 else {0, 59, 60, 61})
        assert seconds == list(range(seconds[0], seconds[-1] + 1)) if seconds else True


def test_elapsed_counts_from_the_beginning() -> None:
    found = [elapsed("door", second / 2, 600, 60) for second in range(1200)]
    inside = [value for value in found if value is not None]
    assert inside[0] < 1
    assert inside == sorted(inside)
    assert inside[-1] > 59
