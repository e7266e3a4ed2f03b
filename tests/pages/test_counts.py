"""The numbers beside the navigation's entries are those of the lists behind them."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from devices.models import Device, Product
from iotpanel.pages import counts
from iotpanel.tenants.models import Tenant
from rules.models import Alarm, Rule
from telemetry.models import DeadLetterRecord
from tests import make


def fill(tenant: Tenant) -> None:
    """Two devices; one rule that runs, one that does not; letters and alarms in every state that counts or does not."""
    now, product = timezone.now(), make.make_product(tenant)
    device, _ = (make.make_device(tenant, product=product) for _ in range(2))
    rules = [Rule.objects.create(tenant=tenant, name=f"rule {enabled}", body={}, enabled=enabled) for enabled in (True, False)]
    for replayed_at in (None, None, now):
        DeadLetterRecord.objects.create(tenant=tenant, topic="t", reason="bad_value", payload=b"", received_at=now, replayed_at=replayed_at)
    hour = timedelta(hours=1)
    states: list[dict[str, Any]] = [
        {"severity": "major"},
        {"severity": "minor", "shelved_until": now - hour},  # taken off the shelf by the clock
        {"severity": "critical", "acknowledged_at": now},
        {"severity": "critical", "shelved_until": now + hour},
        {"severity": "critical", "active": False, "cleared_at": now},
    ]
    for number, state in enumerate(states):
        known: dict[str, Any] = {"rule": rules[0] if number == 0 else None, "rule_name": "rule", "device": device, "raised_at": now}
        Alarm.objects.create(tenant=tenant, **known | state)


def test_each_number_is_that_of_its_list(tenant: Tenant, other_tenant: Tenant) -> None:
    fill(tenant)
    fill(other_tenant)

    assert counts.of_tenant(tenant) == counts.Counts(2, 1, 1, 2, 3, "major")
    assert counts.of_tenant(tenant)[:5] == (
        Device.objects.for_tenant(tenant).count(),
        Product.objects.for_tenant(tenant).count(),
        Rule.objects.for_tenant(tenant).running().count(),
        DeadLetterRecord.objects.for_tenant(tenant).open().count(),
        Alarm.objects.for_tenant(tenant).open().count(),
    )


def test_where_nothing_is_all_is_zero(tenant: Tenant) -> None:
    assert counts.of_tenant(tenant) == counts.Counts(0, 0, 0, 0, 0, "")
