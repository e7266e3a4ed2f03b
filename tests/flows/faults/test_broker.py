"""The broker goes away and comes back. What it keeps when it is killed is measured in test_broker_killed.py."""

import random

from tests.flows.platform import Platform

from .trial import Trial


def test_a_clean_restart_of_the_broker_loses_and_doubles_nothing(platform: Platform, seed: int) -> None:
    """What waits for the database at that moment is in the broker's file, the worker's window included."""
    chance = random.Random(seed)
    trial = Trial(platform, seed)
    with trial.talking():
        trial.talk_for(chance.uniform(0.3, 1.2))
        platform.services.stop("mosquitto")
        trial.talk_for(chance.uniform(0.2, 1.0))
        platform.services.start("mosquitto")
        trial.talk_for(chance.uniform(0.3, 1.0))
    trial.verify()
