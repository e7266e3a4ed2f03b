"""Rate limits on the running platform: who sends too much is refused and counted, nobody else is, and no outage of ours counts."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.flows.platform import Account, Platform
from tests.services import eventually

from . import witness


@contextmanager
def in_tenant(platform: Platform, key: str) -> Iterator[None]:
    platform.http.headers["X-Tenant"] = key
    try:
        yield
    finally:
        platform.http.headers["X-Tenant"] = "default"


@pytest.fixture
def tenant(platform: Platform) -> Iterator[str]:
    """A tenant that may send one report a second, and 50 at once."""
    key = f"loud-{time.time_ns()}"
    platform.post("tenants/", {"key": key, "name": "Loud", "limits": {"rate": 1, "burst": 50}})
    yield key
    # Who is administrator of two tenants has to name one: the other flows begin with one.
    assert platform.http.delete(f"/api/v1/tenants/{key}/").status_code == 204


def books(platform: Platform, account: Account) -> dict[str, Any]:
    found: dict[str, Any] = platform.get(f"devices/{account.key}/ledger/")
    assert found["received"] == found["stored"] + found["duplicate"] + found["rejected"] + found["dead_lettered"]
    return found


def test_a_device_above_its_limit_is_refused_and_its_neighbour_is_not(platform: Platform, seed: int) -> None:
    chance = random.Random(seed)
    product = platform.product()
    # One a second: what an outage before this test leaves on top is little then.
    loud, neighbour = platform.device(product, limits={"rate": 1, "burst": 20}), platform.device(product)
    quiet = set(chance.sample(range(200), 50))
    with platform.connect(loud) as shouting, platform.connect(neighbour) as talking:
        for number in range(200):
            shouting.say("telemetry", {"n": number})  # acknowledged, whatever becomes of it
            if number in quiet:
                talking.say("telemetry", {"n": number})
    eventually(lambda: books(platform, loud)["received"] == 200 and books(platform, neighbour)["received"] == 50)
    refused = books(platform, loud)
    assert refused["rejected"] > 0
    assert refused["stored"] >= 20, "the burst at least"
    assert books(platform, neighbour)["stored"] == 50
    assert platform.letters(loud) == [], "what policy refuses is not kept"
    assert platform.get(f"devices/{loud.key}/limits/")["rejected"] == refused["rejected"]
    eventually(lambda: 'iotpanel_uplink_rejections_total{code="rate_limited"' in platform.metrics())


@pytest.mark.long
def test_a_tenant_above_its_limit_is_refused_and_its_neighbour_is_not(platform: Platform, tenant: str, seed: int) -> None:
    """Whatever its devices send counts, whoever of them sends it; what is refused is in its sender's books and in the tenant's."""
    chance = random.Random(seed)
    with in_tenant(platform, tenant):
        product = platform.product()
        loud = [platform.device(product) for _ in range(3)]
    neighbour = platform.device()
    senders = [platform.connect(account) for account in (*loud, neighbour)]
    try:
        for number in range(300):
            for sender in (chance.choice(senders[:3]), senders[3]):
                last = sender.publish(sender.account.topic("telemetry"), {"n": number})
        last.wait_for_publish(10)
        with in_tenant(platform, tenant):
            eventually(lambda: sum(books(platform, account)["received"] for account in loud) == 300)
            found = [books(platform, account) for account in loud]
            shown = platform.get("limits/")
    finally:
        for sender in senders:
            sender.close()
    refused = sum(each["rejected"] for each in found)
    assert refused > 0
    assert sum(each["stored"] for each in found) >= 50, "the burst at least"
    assert (shown["set_by"], shown["rejected"]) == ("tenant", refused)
    eventually(lambda: books(platform, neighbour)["stored"] == 300)
    eventually(lambda: witness.identity_holds(platform))


def test_what_the_broker_kept_while_the_worker_was_away_is_not_refused(platform: Platform, seed: int) -> None:
    account = platform.device(limits={"rate": 20, "burst": random.Random(seed).randrange(10, 30)})
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
