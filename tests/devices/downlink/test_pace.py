import pytest

from devices.downlink.pace import Pace
from devices.downlink.patience import PAUSES, Patience


def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    pace = Pace(rate=2, burst=3)
    for _ in range(3):
        assert pace.wait("valve", 10.0) == 0
        pace.take("valve", 10.0)

    assert pace.wait("valve", 10.0) == 0.5
    assert pace.wait("pump", 10.0) == 0
    assert pace.wait("valve", 10.5) == 0


def test_the_bucket_does_not_overflow() -> None:
    pace = Pace(rate=100, burst=1)
    pace.take("valve", 0.0)
    pace.take("valve", 1_000.0)

    assert pace.wait("valve", 1_000.0) > 0


def test_a_child_is_looked_for_behind_each_gateway_before_we_wait() -> None:
    patience = Patience()

    assert patience.way(1, 3) == 0
    assert patience.miss(1) == 0
    assert patience.way(1, 3) == 1
    assert patience.miss(1) == 0
    assert patience.way(1, 3) == 2
    assert patience.miss(1) == PAUSES[0]
    assert patience.way(1, 3) == 0


def test_the_way_that_worked_is_kept() -> None:
    patience = Patience()
    patience.way(1, 2)
    patience.miss(1)
    patience.reached([1])

    assert patience.way(1, 2) == 1


def test_pauses_grow_until_the_device_comes() -> None:
    patience = Patience()
    pauses = []
    for _ in range(len(PAUSES) + 1):
        patience.way(1, 1)
        pauses.append(patience.miss(1))
    assert pauses == [*PAUSES, PAUSES[-1]]

    patience.heard([1])
    assert patience.miss(1) == PAUSES[0]


def test_reminders_come_back_once() -> None:
    patience = Patience()
    patience.remind(1, 0)
    patience.remind(2, 60)

    assert patience.next_in() <= 0
    assert patience.take() == {1}
    assert patience.take() == set()
    assert patience.next_in() > 50


def test_more_than_is_left_is_a_debt() -> None:
    pace = Pace(rate=10, burst=10)
    assert pace.wait("a", 0) == 0
    pace.take("a", 0, 30)
    assert pace.wait("a", 0) == pytest.approx(2.1)
    assert pace.wait("a", 2.2) == 0
    assert pace.wait("b", 0) == 0
