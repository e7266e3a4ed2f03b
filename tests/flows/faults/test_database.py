"""The database is away, slow, locked, read-only or full: nothing is lost, nobody's memory grows without end, and it is caught up with."""

import random
import time

import pytest

from iotpanel.local.mosquitto import QUEUE_BYTES
from tests.flows.platform import Platform
from tests.services import eventually

from .conftest import SEEDS
from .sick_database import SICKNESSES
from .trial import Trial, sustained_rate

WORKER_MAY_GROW = 150  # MB: what the broker's window lets it hold at a time, as Python objects
WINDOW = 20_000  # messages: what the worker takes unacknowledged, `max_inflight_messages`
FLAT = 16  # MB
CAUGHT_UP = 1.0  # seconds


def length_and_rate(platform: Platform, seed: int, chance: random.Random) -> tuple[float, float]:
    """Seconds and messages/s. The first seed of the long runs is the promise itself: a minute at a third of the sustained rate.

    Which rate that is depends on what else the machine does at the moment, so it is looked for.
    """
    if not SEEDS:
        return 2.5, 500
    third = sustained_rate(platform, seed) / 3
    return (60, min(third, 4_000)) if seed == 1 else (chance.uniform(4, 10), min(third, 1_000))


QUICK = {"stopped", "read-only"}


@pytest.mark.parametrize("sickness", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.long]) for name in SICKNESSES])
def test_an_unusable_database_costs_nothing_but_time(platform: Platform, sickness: str, seed: int) -> None:
    chance = random.Random(f"{seed} {sickness}")
    seconds, rate = length_and_rate(platform, seed, chance)
    print(f"{sickness} for {seconds:.1f} s at {rate:.0f} messages/s")
    trial = Trial(platform, seed, rate=rate)
    with trial.talking():
        trial.talk_for(chance.uniform(0.3, 1.0))
        before = platform.services.memory("uplink")
        with SICKNESSES[sickness](platform.services, chance):
            worker = watch(platform, seconds)
        eventually(lambda: trial.lag() < CAUGHT_UP, 60)
    assert max(worker) - before < WORKER_MAY_GROW
    assert worker[-1] - worker[len(worker) // 2] < FLAT + still_to_come(rate * seconds / 2)
    trial.verify()


def still_to_come(half: float) -> float:
    """MB that the second half may add: only where the first, of so many messages, did not fill the window is there room for more."""
    return WORKER_MAY_GROW * min(half, max(WINDOW - half, 0)) / WINDOW


def watch(platform: Platform, seconds: float) -> list[float]:
    """The worker's memory in MB, as it was in the course of these seconds; the broker's stays within its bound."""
    until = time.monotonic() + seconds
    worker = [platform.services.memory("uplink")]
    while time.monotonic() < until:
        time.sleep(0.25)
        worker.append(platform.services.memory("uplink"))
        assert platform.services.memory("mosquitto") < QUEUE_BYTES / 1e6 + 100
    return worker
