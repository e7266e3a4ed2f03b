"""Parts are killed in the middle of a stream, one by one and all at once. Nothing is lost, nothing is doubled."""

import json
import random
import signal
from collections.abc import Sequence

import pytest

from tests.flows.platform import Platform
from tests.services import eventually

from . import witness
from .sick_database import is_committing, lingering, locked
from .trial import Trial

ALL = ("uplink", "web", "tasks", "valkey", "postgres")


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(["uplink"], id="uplink"),
        pytest.param(["web"], id="web", marks=pytest.mark.long),
        pytest.param(["tasks"], id="tasks", marks=pytest.mark.long),
        pytest.param(["valkey"], id="valkey", marks=pytest.mark.long),
        pytest.param(["postgres"], id="postgres", marks=pytest.mark.long),
        pytest.param(ALL, id="all"),
    ],
)
def test_a_kill_loses_and_doubles_nothing(platform: Platform, parts: Sequence[str], seed: int) -> None:
    chance = random.Random(seed)
    trial = Trial(platform, seed, http=len(parts) > 1 or parts[0] in ("web", "postgres"))
    with trial.talking():
        trial.talk_for(chance.uniform(0.3, 1.2))
        for part in chance.sample(parts, len(parts)):
            platform.services.kill_whole(part)
        trial.talk_for(chance.uniform(0.5, 1.5))
    trial.verify()


@pytest.mark.long
def test_a_kill_in_the_middle_of_a_transaction_loses_and_doubles_nothing(platform: Platform, seed: int) -> None:
    """A table is locked, so both writers stand in a batch. What the dead left to the database ends only when it is free."""
    chance = random.Random(seed)
    trial = Trial(platform, seed, http=True)
    with trial.talking():
        trial.talk_for(chance.uniform(0.2, 0.5))
        with locked(platform.services, chance):
            trial.talk_for(chance.uniform(0.3, 1.2))
            for part in chance.sample(["uplink", "web"], 2):
                platform.services.kill_whole(part)
            trial.talk_for(chance.uniform(0.1, 4.0))
        trial.talk_for(0.3)
    trial.verify()


@pytest.mark.long
def test_a_kill_between_commit_and_acknowledgement_doubles_nothing(platform: Platform, seed: int) -> None:
    """What was committed comes again, and is known."""
    chance = random.Random(seed)
    trial = Trial(platform, seed)
    with trial.talking():
        with lingering(platform.services):
            trial.talk_for(chance.uniform(0.2, 1.2))
            eventually(lambda: is_committing(platform.services))
            platform.services.kill_whole("uplink")
            eventually(lambda: not is_committing(platform.services))
        trial.talk_for(chance.uniform(0.2, 0.5))
    trial.verify()
    assert witness.ledger(platform.services, trial.keys)["duplicate"] > 0


def test_a_worker_that_is_asked_to_end_drains_and_loses_nothing(platform: Platform, seed: int) -> None:
    """Also what carries no time of its own is stored once: what was taken is committed and acknowledged before the end."""
    chance = random.Random(seed)
    trial = Trial(platform, seed, timed=False)
    with trial.talking():
        trial.talk_for(chance.uniform(0.3, 1.2))
        log = len(platform.services.log("uplink"))
        pid = platform.services.kill("uplink", signal.SIGTERM)
        platform.services.await_end(pid, 10)
        trial.talk_for(chance.uniform(0.3, 1.0))
    [goodbye] = [line for line in platform.services.log("uplink")[log:].splitlines() if "uplink_stopped" in line]
    assert json.loads(goodbye)["drained"] is True
    trial.verify()


@pytest.mark.long
def test_a_worker_that_is_asked_to_end_while_the_database_is_locked_ends_and_loses_nothing(platform: Platform, seed: int) -> None:
    """What it cannot store it does not acknowledge: the broker keeps it for the next one."""
    chance = random.Random(seed)
    trial = Trial(platform, seed)
    with trial.talking():
        trial.talk_for(chance.uniform(0.2, 0.5))
        with locked(platform.services, chance):
            trial.talk_for(chance.uniform(0.3, 1.0))
            log = len(platform.services.log("uplink"))
            pid = platform.services.kill("uplink", signal.SIGTERM)
            platform.services.await_end(pid, 20)
        trial.talk_for(0.3)
    [goodbye] = [line for line in platform.services.log("uplink")[log:].splitlines() if "uplink_stopped" in line]
    assert json.loads(goodbye)["drained"] is False
    trial.verify()
