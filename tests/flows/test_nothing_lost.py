"""What is sent while a part is away is stored once it is back. Faults in the middle of a stream are in `faults/`."""

import json
import time

from tests.flows.platform import Platform
from tests.services import eventually


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
