"""How often a client may speak."""

from telemetry.live.allowance import Allowance


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_a_steady_rate() -> None:
    clock = Clock()
    allowance = Allowance(3, 2, clock)
    assert [allowance.take() for _ in range(4)] == [True, True, True, False]
    clock.now = 1.0
    assert [allowance.take() for _ in range(3)] == [True, True, False]


def test_a_long_silence_gives_no_more_than_a_burst() -> None:
    clock = Clock()
    allowance = Allowance(3, 2, clock)
    clock.now = 1_000.0
    assert [allowance.take() for _ in range(4)] == [True, True, True, False]
