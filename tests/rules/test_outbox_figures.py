"""What waits for the world outside, on `/metrics`."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from iotpanel.tenants.models import Tenant
from rules.delivery import figures
from rules.models import OutboxItem, Target
from rules.outbox import Promise, promise
from tests.rules.fakes import make_forwarder

pytestmark = pytest.mark.django_db


def samples() -> dict[tuple[str, ...], float]:
    return {(each.name, *each.labels.values()): each.value for family in figures.families() for each in family.samples}


def wait(tenant: Tenant, forwarder: Any, count: int, seconds: float) -> None:
    entries = [["device", 1, {}] for _ in range(count)]
    promise([Promise(tenant.pk, "forwarder", forwarder.pk, None, {"stream": "readings", "entries": entries})])
    OutboxItem.objects.filter(pk=OutboxItem.objects.latest("pk").pk).update(created_at=timezone.now() - timedelta(seconds=seconds))


def test_what_waits_and_for_how_long(tenant: Tenant, other_tenant: Tenant) -> None:
    slow, idle, down = make_forwarder(tenant), make_forwarder(tenant), make_forwarder(other_tenant)
    wait(tenant, slow, 3, 100)
    wait(tenant, slow, 2, 10)
    wait(other_tenant, down, 1, 500)
    Target.objects.filter(target=down.pk).update(failures=2)
    found = samples()
    assert found["iotpanel_outbox_waiting_messages", "forwarder"] == 6
    assert 500 <= found["iotpanel_outbox_lag_seconds", "forwarder"] < 600
    assert found["iotpanel_outbox_targets_down", "forwarder"] == 1
    assert found["iotpanel_outbox_waiting_messages", "channel"] == 0
    assert found["iotpanel_outbox_target_waiting_messages", "forwarder", "home", str(slow.pk)] == 5
    assert 100 <= found["iotpanel_outbox_target_lag_seconds", "forwarder", "home", str(slow.pk)] < 200
    assert found["iotpanel_outbox_target_down", "forwarder", "elsewhere", str(down.pk)] == 1
    assert not [place for place in found if place[-1] == str(idle.pk)]


def test_the_worst_are_shown_where_they_are_too_many(tenant: Tenant) -> None:
    first, second = make_forwarder(tenant), make_forwarder(tenant)
    wait(tenant, first, 1, 10)
    wait(tenant, second, 1, 20)
    with mock.patch.object(figures, "MOST_NAMED", 1), mock.patch.object(figures, "CAPPED", 0):
        assert samples()["iotpanel_outbox_waiting_messages", "forwarder"] == 0
    with mock.patch.object(figures, "MOST_NAMED", 1):
        shown = [place[-1] for place in samples() if place[0] == "iotpanel_outbox_target_lag_seconds"]
    assert shown == [str(second.pk)]


def test_they_are_on_the_page(tenant: Tenant, client: Client) -> None:
    make_forwarder(tenant)
    names = {family.name for family in text_string_to_metric_families(client.get("/metrics").content.decode())}
    assert {"iotpanel_outbox_waiting_messages", "iotpanel_outbox_lag_seconds", "iotpanel_outbox_targets_down"} <= names
