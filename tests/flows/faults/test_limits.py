"""Rate limits on the running platform: who sends too much is refused and counted, nobody else is, and no outage of ours counts."""

import time
from typing import Any

from tests.flows.platform import Account, Platform
from tests.services import eventually


def books(platform: Platform, account: Account) -> dict[str, Any]:
    found: dict[str, Any] = platform.get(f"devices/{account.key}/ledger/")
    assert found["received"] == found["stored"] + found["duplicate"] + found["rejected"] + found["dead_lettered"]
    return found


def test_a_device_above_its_limit_is_refused_and_its_neighbour_is_not(platform: Platform) -> None:
    product = platform.product()
    # One a second: what an outage before this test leaves on top is little then.
    loud, neighbour = platform.device(product, limits={"rate": 1, "burst": 20}), platform.device(product)
    with platform.connect(loud) as shouting, platform.connect(neighbour) as talking:
        for number in range(200):
            shouting.say("telemetry", {"n": number})  # acknowledged, whatever becomes of it
            if number % 4 == 0:
                talking.say("telemetry", {"n": number})
    eventually(lambda: books(platform, loud)["received"] == 200 and books(platform, neighbour)["received"] == 50)
    refused = books(platform, loud)
    assert refused["rejected"] > 0
    assert refused["stored"] >= 20, "the burst at least"
    assert books(platform, neighbour)["stored"] == 50
    assert platform.letters(loud) == [], "what policy refuses is not kept"
    assert platform.get(f"devices/{loud.key}/limits/")["rejected"] == refused["rejected"]
    eventually(lambda: 'iotpanel_uplink_rejections_total{code="rate_limited"' in platform.metrics())


def test_what_the_broker_kept_while_the_worker_was_away_is_not_refused(platform: Platform) -> None:
    account = platform.device(limits={"rate": 20, "burst": 20})
    with platform.connect(account) as device:
        device.say("telemetry", {"n": 0})
        eventually(lambda: platform.latest(account))
        platform.services.stop("uplink")
        try:
            for number in range(1, 61):  # slower than the limit, and three times its burst when they come at once
                device.say("telemetry", {"n": number})
                time.sleep(0.06)
        finally:
            platform.services.start("uplink")
    eventually(lambda: books(platform, account)["received"] == 61, 60)
    assert books(platform, account)["stored"] == 61
