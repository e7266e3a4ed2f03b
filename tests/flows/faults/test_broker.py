"""The broker goes away and comes back: cleanly, and killed. See docs/reliability.md for what its file keeps."""

import random
import time

import pytest

from iotpanel.local.mosquitto import SAVED_EVERY
from tests.flows.platform import Platform
from tests.services import eventually

from . import witness
from .sick_database import locked
from .trial import Trial

SAVING = 2.0  # seconds that the broker looks for a moment to save, and saves


def test_a_clean_restart_of_the_broker_loses_and_doubles_nothing(platform: Platform, seed: int) -> None:
    chance = random.Random(seed)
    trial = Trial(platform, seed)
    with trial.talking():
        trial.talk_for(chance.uniform(0.3, 1.2))
        platform.services.stop("mosquitto")
        trial.talk_for(chance.uniform(0.2, 1.0))
        platform.services.start("mosquitto")
        trial.talk_for(chance.uniform(0.3, 1.0))
    trial.verify()


@pytest.mark.long
def test_a_clean_restart_of_the_broker_keeps_what_waits_for_the_database(platform: Platform, seed: int) -> None:
    """It is all in the broker's file, what the worker has taken and not acknowledged included."""
    chance = random.Random(seed)
    trial = Trial(platform, seed)
    with trial.talking():
        trial.talk_for(chance.uniform(0.2, 0.5))
        with locked(platform.services, chance):
            trial.talk_for(chance.uniform(0.5, 2.0))
            platform.services.restart("mosquitto")
            trial.talk_for(chance.uniform(0.2, 2.0))
        trial.talk_for(0.3)
    trial.verify()


@pytest.mark.parametrize("worker", [pytest.param("there", marks=pytest.mark.long), "away"])
def test_a_killed_broker_loses_only_what_came_since_it_last_saved(platform: Platform, worker: str, seed: int) -> None:
    """Also what it does lose is no more than that: no phantom, no second copy, nothing altered, and the counts add up."""
    chance = random.Random(f"{seed} {worker}")
    trial = Trial(platform, seed)
    with trial.talking():
        if worker == "away":
            platform.services.stop("uplink")
        trial.talk_for(SAVED_EVERY + SAVING + chance.uniform(0.2, 2.0))
        platform.services.kill("mosquitto")
        killed = time.monotonic()  # not before: a busy machine takes its time to kill, and the broker acknowledges until then
        trial.talk_for(chance.uniform(0.5, 1.5))
        if worker == "away":
            platform.services.start("uplink")
        trial.talk_for(0.5)
    rows = witness.sql_rows(platform.services, trial.keys)
    assert trial.journal.audit(rows).kinds <= {"lost"}
    missing = trial.journal.missing(rows)
    oldest = killed - min((entry.sent_at for entry in missing), default=killed)
    print(f"worker {worker}: {len(missing)} of {len(trial.journal.good)} lost, the oldest sent {oldest:.2f} s before the kill")
    assert all(killed - SAVED_EVERY - SAVING < entry.sent_at <= killed for entry in missing)
    counts = witness.ledger(platform.services, trial.keys)
    assert witness.is_identity(counts), counts
    assert counts["stored"] == len(trial.journal.good) - len(missing)
    eventually(lambda: witness.identity_holds(platform))
