"""The directory: it remembers, and forgets at the right moment."""

import pytest
from django.db import connection, transaction

from devices import products, provisioning
from devices.directory import Directory
from devices.models import Device
from iotpanel.tenants.models import Tenant
from tests.make import make_device, make_product, make_tenant


@pytest.mark.django_db
def test_many_keys_are_one_query_beside_their_product_and_tenant(tenant: Tenant, django_assert_num_queries: object) -> None:
    product = make_product(tenant)
    keys = [make_device(product=product).key for _ in range(20)]
    known = Directory()
    with django_assert_num_queries(4):  # type: ignore[operator]
        known.load([*keys[:10], "nobody"])
    with django_assert_num_queries(1):  # type: ignore[operator]
        known.load(keys)
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert all(known.device(key) for key in keys)


@pytest.mark.django_db
def test_a_key_that_nobody_had_is_looked_for_again(tenant: Tenant) -> None:
    known = Directory()
    assert known.device("late") is None
    make_device(product=make_product(tenant), key="late")
    assert known.device("late") is not None


@pytest.mark.django_db
def test_a_thing_model_that_no_longer_parses_refuses_nothing(tenant: Tenant) -> None:
    product = make_product(tenant)
    device = make_device(product=product)
    type(product).objects.filter(pk=product.pk).update(thing_model={"properties": "broken"})
    entry = Directory().device(device.key)
    assert entry is not None
    assert entry.product.model.check_values({"a": 1}) == ["a"]


@pytest.mark.django_db
def test_a_circle_of_gateways_ends(tenant: Tenant) -> None:
    product = make_product(tenant)
    one = make_device(product=product)
    two = make_device(product=product, parent=one)
    Device.objects.filter(pk=one.pk).update(parent=two)  # no verb would do that
    lone = make_device(product=product)
    known = Directory()
    first, other = known.device(one.key), known.device(lone.key)
    assert first is not None
    assert other is not None
    assert not known.is_below(first, other)


@pytest.mark.django_db(transaction=True)
def test_a_committed_change_is_seen_by_the_next_batch() -> None:
    product = make_product(make_tenant())
    device = make_device(product=product)
    known = Directory()
    known.refresh()
    assert known.device(device.key).enabled  # type: ignore[union-attr]
    provisioning.update_device(device, enabled=False)
    known.refresh()
    assert not known.device(device.key).enabled  # type: ignore[union-attr]
    products.update_product(product, unknown_properties="reject")
    known.refresh()
    assert not known.device(device.key).product.accepts_unknown  # type: ignore[union-attr]
    provisioning.delete_device(device)
    known.refresh()
    assert known.device(device.key) is None


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_listens_again() -> None:
    device = make_device(product=make_product(make_tenant()))
    known = Directory()
    known.refresh()
    assert known.device(device.key) is not None
    connection.close()
    Device.objects.filter(pk=device.pk).update(enabled=False)
    known.refresh()
    assert not known.device(device.key).enabled  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True)
def test_a_refresh_in_a_transaction_that_rolls_back_goes_stale_nowhere() -> None:
    device = make_device(product=make_product(make_tenant()))
    known = Directory()
    with transaction.atomic():
        known.refresh()
        assert known.device(device.key).enabled  # type: ignore[union-attr]
        transaction.set_rollback(True)
    provisioning.update_device(device, enabled=False)
    known.refresh()
    assert not known.device(device.key).enabled  # type: ignore[union-attr]
    provisioning.update_device(device, enabled=True)
    known.refresh()
    assert known.device(device.key).enabled  # type: ignore[union-attr]
