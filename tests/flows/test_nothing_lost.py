"""Faults in the middle of a stream: what the broker acknowledged is in the store afterwards, each reading once."""

import json
import random
import signal
import time

import pytest

from tests.flows.platform import Platform
from tests.services import eventually

MESSAGES = 3_000


def stream_through(platform: Platform, fault: str, seed: int) -> list[int]:
    """Send numbered readings, do `fault` somewhere in the middle; what was stored once all was acknowledged."""
    chance = random.Random(seed)
    account = platform.device()
    start = int(time.time() * 1000) - MESSAGES
    with platform.connect(account) as device:
        at = chance.randrange(MESSAGES // 4, MESSAGES // 2)
        sent = device.stream(range(at), start)
        do(platform, fault)
        sent += device.stream(range(at, MESSAGES), start)
        eventually(lambda: device.all_acknowledged(sent), 60)
    eventually(platform.serves, 60)
    eventually(lambda: len(platform.readings(account)) >= len(sent), 60)
    return [int(value) for _, value in platform.readings(account)]


def do(platform: Platform, fault: str) -> None:
    services = platform.services
    match fault.split():
        case ["kill", part]:
            services.kill(part)
        case ["terminate", part]:
            services.kill(part, signal.SIGTERM)
        case ["pause", part]:
            services.stop(part)
            time.sleep(3)
            services.start(part)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("fault", ["kill uplink", "terminate uplink", "kill postgres", "pause postgres", "kill valkey", "pause mosquitto"])
def test_nothing_is_lost_and_nothing_is_doubled(platform: Platform, fault: str, seed: int) -> None:
    assert stream_through(platform, fault, seed) == list(range(MESSAGES))


def test_ingest_goes_on_without_valkey(platform: Platform) -> None:
    account = platform.device()
    platform.services.stop("valkey")
    try:
        with platform.connect(account) as device:
            device.say("telemetry", {"ts": 1_790_000_000_000, "values": {"n": 5}})
            time.sleep(2)
    finally:
        platform.services.start("valkey")
    eventually(platform.serves, 60)
    assert [value for _, value in eventually(lambda: platform.readings(account))] == [5]


def test_qos_0_is_kept_while_the_worker_is_away(platform: Platform) -> None:
    account = platform.device()
    platform.services.stop("uplink")
    try:
        with platform.connect(account) as device:
            for number in range(20):
                device.client.publish(account.topic("telemetry"), json.dumps({"n": number}), qos=0)
            device.say("telemetry", {"n": 20})
    finally:
        platform.services.start("uplink")
    eventually(lambda: len(platform.readings(account)) == 21, 30)
