import pytest
from django.db import transaction

from iotpanel.tenants.models import Tenant
from rules.models import OutboxItem
from rules.outbox import Promise, promise


def a_promise(tenant: Tenant, number: int) -> Promise:
    return Promise(tenant.pk, "log", None, 7, {"n": number})


def test_promises_wait_in_the_order_they_were_made(tenant: Tenant) -> None:
    promise([a_promise(tenant, 1), a_promise(tenant, 2)])

    assert [item.payload for item in OutboxItem.objects.all()] == [{"n": 1}, {"n": 2}]
    assert {item.state for item in OutboxItem.objects.all()} == {"waiting"}


def test_a_promise_goes_with_its_transaction(tenant: Tenant) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        promise([a_promise(tenant, 1)])
        raise RuntimeError

    assert not OutboxItem.objects.exists()


def test_a_stranger_sees_no_promise(tenant: Tenant, other_tenant: Tenant) -> None:
    promise([a_promise(tenant, 1)])

    assert not OutboxItem.objects.for_tenant(other_tenant).exists()
