"""Rate limits: what is refused, who pays, and that an outage of ours refuses nobody."""

from typing import Any

import pytest
from pytest_django import Settings

from devices import products, provisioning
from devices.exceptions import Unavailable
from devices.models import Device, DevicePresence
from iotpanel.metrics import UPLINK_REJECTIONS
from iotpanel.tenants import tenants
from iotpanel.tenants.models import Tenant
from telemetry import ledger
from telemetry.models import DeadLetterRecord
from telemetry.uplink import pipeline
from telemetry.uplink.limiter import LIMITER, SECOND
from telemetry.uplink.pipeline import Outcome, process
from tests.make import make_device, make_product

from .talk import now_ms, say, stored, uplink

pytestmark = pytest.mark.django_db


def burst_of(device: Device, count: int, at: int, kind: str = "telemetry", payload: Any = None) -> Outcome:
    """So many messages in one batch, all received at `at` (µs)."""
    body = {"temperature": 20} if payload is None else payload
    return process([uplink(f"devices/{device.key}/up/{kind}", body, received_at=at) for _ in range(count)])


def now() -> int:
    return now_ms() * 1000


def test_without_a_limit_nothing_is_refused(device: Device) -> None:
    assert burst_of(device, 500, now()).rejected == 0


def test_what_is_above_burst_and_rate_is_refused_and_counted(device: Device) -> None:
    provisioning.update_device(device, rate_limit=2.0, rate_burst=5)
    at, before = now(), UPLINK_REJECTIONS.labels("rate_limited")._value.get()
    first = burst_of(device, 8, at)
    assert (first.received, first.stored, first.rejected) == (8, 5, 3)
    assert first.refusals == ("rate_limited",) * 3
    assert burst_of(device, 8, at + 2 * SECOND).stored == 4, "two seconds at two a second"
    assert DeadLetterRecord.objects.count() == 0, "what policy refuses is not kept"
    assert UPLINK_REJECTIONS.labels("rate_limited")._value.get() - before == 7
    [counts] = ledger.by_device([device.pk], since=device.created_at, until=device.created_at.replace(year=9000)).values()
    assert (counts.received, counts.stored, counts.rejected) == (16, 9, 7)


def test_a_list_pays_for_each_of_its_reports(device: Device) -> None:
    """The message that fits is taken whole; the debt is paid by those that follow."""
    provisioning.update_device(device, rate_limit=10, rate_burst=10)
    at = now()
    backfill = [{"ts": now_ms() - number * 1000, "values": {"temperature": number}} for number in range(50)]
    assert burst_of(device, 1, at, payload=backfill).stored == 50
    assert burst_of(device, 1, at + 3 * SECOND).rejected == 1
    assert burst_of(device, 1, at + 5 * SECOND).stored == 1


def test_heartbeats_pay_and_bad_messages_too(device: Device) -> None:
    """Neither nothing nor nonsense may be sent without end: the dead letters of one device are bounded."""
    provisioning.update_device(device, rate_limit=1, rate_burst=4)
    at = now()
    assert burst_of(device, 3, at, payload=b"{}").heartbeats == 3
    outcome = burst_of(device, 4, at, payload=b"nonsense")
    assert (outcome.dead_lettered, outcome.rejected) == (1, 3)
    assert burst_of(device, 2, at, kind="nowhere").rejected == 2


def test_a_refused_device_is_there_all_the_same(device: Device) -> None:
    provisioning.update_device(device, rate_limit=0.01, rate_burst=1)
    at = now()
    burst_of(device, 1, at)
    assert say(device, "status", b"offline").rejected == 0, "word of presence is always taken"
    assert not DevicePresence.objects.get(device=device).online
    assert burst_of(device, 1, at + 2 * SECOND).rejected == 1
    assert DevicePresence.objects.get(device=device).online


def test_the_devices_own_limit_outranks_its_products_and_the_platforms(device: Device, settings: Settings) -> None:
    settings.DEVICE_RATE, settings.DEVICE_BURST = 1, 1
    assert burst_of(device, 3, now()).stored == 1
    products.update_product(device.product, rate_limit=1, rate_burst=2)
    LIMITER.forget()
    assert burst_of(device, 3, now()).stored == 2
    provisioning.update_device(device, rate_limit=0)
    assert burst_of(device, 30, now()).stored == 30, "0 is no limit"


def test_a_tenants_limit_is_shared_by_its_devices_and_touches_nobody_else(device: Device, tenant: Tenant, other_tenant: Tenant) -> None:
    tenants.update_tenant(tenant, rate_limit=1, rate_burst=10)
    second = make_device(product=device.product)
    theirs = make_device(other_tenant)
    at = now()
    assert burst_of(device, 6, at).stored == 6
    assert burst_of(second, 6, at).stored == 4
    assert burst_of(theirs, 100, at).stored == 100


def test_a_gateways_children_have_limits_of_their_own(tenant: Tenant) -> None:
    gateway = make_device(product=make_product(tenant))
    loud, quiet = make_device(tenant, parent=gateway, rate_limit=1, rate_burst=1), make_device(tenant, parent=gateway)
    at = now()
    message = {loud.key: {"temperature": 1}, quiet.key: {"temperature": 1}}
    outcomes = [process([uplink(f"devices/{gateway.key}/up/gateway/telemetry", message, received_at=at + n)]) for n in range(2)]
    assert [(outcome.stored, outcome.rejected) for outcome in outcomes] == [(2, 0), (1, 1)]
    assert len(stored(quiet)) == 2


def test_a_batch_that_is_tried_again_pays_once(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    provisioning.update_device(device, rate_limit=1, rate_burst=5)
    at, write = now(), pipeline.write

    def fail(*_: Any) -> None:
        raise Unavailable("the server went away")

    for _ in range(3):
        monkeypatch.setattr(pipeline, "write", fail)
        with pytest.raises(Unavailable):
            burst_of(device, 5, at)
    monkeypatch.setattr(pipeline, "write", write)
    assert burst_of(device, 5, at).stored == 5


def test_what_piled_up_while_we_were_away_is_allowed_on_top(device: Device) -> None:
    provisioning.update_device(device, rate_limit=10, rate_burst=10)
    at = now()
    LIMITER.absent(at - 60 * SECOND)
    LIMITER.absent(at - 10 * SECOND)  # said each second; the first counts
    assert burst_of(device, 600, at).stored == 600
    assert burst_of(device, 100, at).stored <= 20, "and only once"


def test_a_message_that_waited_for_us_is_judged_by_when_it_came(device: Device) -> None:
    provisioning.update_device(device, rate_limit=1, rate_burst=1)
    at = now()
    topic = f"devices/{device.key}/up/telemetry"
    assert process([uplink(topic, {"temperature": n}, received_at=at + n * SECOND) for n in range(30)]).stored == 30


def test_replays_and_replies_are_not_held_back(device: Device) -> None:
    provisioning.update_device(device, rate_limit=0.01, rate_burst=2)
    at = now()
    burst_of(device, 2, at)
    topic = f"devices/{device.key}/up/telemetry"
    assert process([uplink(topic, {"temperature": n}, received_at=at + n, source="replay") for n in range(5)]).stored == 5
    assert burst_of(device, 1, at, kind="commands/1/reply", payload={"status": "ok"}).rejected == 0
    assert burst_of(device, 9, at, kind="commands/1/reply", payload={"status": "ok"}).rejected > 5, "but not without end"
