"""Valkey is emptied, stands still or is gone: what devices say is stored meanwhile, not only afterwards."""

import random
import signal
from collections.abc import Iterator

import pytest

from tests.flows.platform import Platform
from tests.services import eventually

from .trial import Trial


@pytest.fixture
def listener(platform: Platform) -> Iterator[None]:
    """A forwarder of all readings, so that each batch has something to tell the task workers."""
    body = {"name": "All readings", "kind": "log", "settings": {}}
    made = platform.post("forwarders/", body)["id"]
    yield
    platform.http.delete(f"/api/v1/forwarders/{made}/")


def goes_on(trial: Trial) -> None:
    """Whatever is said from now on is stored now."""
    before = len(trial.journal.entries)
    eventually(lambda: any(number >= before for number in trial.stored_numbers()), 30)


@pytest.mark.parametrize(
    "fault", [pytest.param("flushed", marks=pytest.mark.long), "stalled", pytest.param("stopped", marks=pytest.mark.long)]
)
def test_ingest_goes_on(platform: Platform, listener: None, fault: str, seed: int) -> None:
    chance = random.Random(f"{seed} {fault}")
    services = platform.services
    trial = Trial(platform, seed)
    with trial.talking():
        trial.talk_for(chance.uniform(0.2, 0.8))
        if fault == "flushed":
            services.cache().flushall()
            goes_on(trial)
        elif fault == "stalled":
            with services.stalled("valkey"):
                goes_on(trial)
                trial.talk_for(chance.uniform(0.5, 3.0))
                goes_on(trial)
        else:
            services.stop("valkey")
            goes_on(trial)
            services.start("valkey")
    trial.verify()


@pytest.mark.long
def test_a_worker_that_ends_while_valkey_stands_still_drains_too(platform: Platform, seed: int) -> None:
    services = platform.services
    trial = Trial(platform, seed, timed=False)
    with trial.talking():
        trial.talk_for(random.Random(seed).uniform(0.2, 0.8))
        log = len(services.log("uplink"))
        with services.stalled("valkey"):
            pid = services.kill("uplink", signal.SIGTERM)
            eventually(lambda: '"drained":true' in services.log("uplink")[log:], 20)
        services.await_end(pid, 30)
    trial.verify()
