"""Cursors: every row once, forwards and backwards, whatever comes or goes meanwhile."""

import base64
from datetime import timedelta

import pytest
from django.utils import timezone

from devices.models import Device, DevicePresence
from iotpanel.pages.paging import Page, page, read_cursor
from iotpanel.tenants.models import Tenant
from tests import make


@pytest.fixture
def devices(tenant: Tenant) -> list[Device]:
    """Nine devices, of which some have equal names and three were never seen."""
    product = make.make_product(tenant)
    found = Device.objects.bulk_create(Device(tenant=tenant, key=f"d{n}", name=f"Name {n // 3}", product=product) for n in range(9))
    now = timezone.now()
    seen = [now - timedelta(minutes=n // 2) if n < 6 else None for n in range(9)]
    DevicePresence.objects.bulk_create(DevicePresence(device=device, last_seen=at) for device, at in zip(found, seen, strict=True))
    return found


def pages(tenant: Tenant, order: str, per_page: int) -> list[Page]:
    rows = Device.objects.for_tenant(tenant)
    found = [page(rows, order, None, per_page)]
    while found[-1].after:
        found.append(page(rows, order, read_cursor(found[-1].after), per_page))
    return found


@pytest.mark.parametrize("order", ["key", "-key", "name", "-name", "product", "seen", "-seen"])
@pytest.mark.parametrize("per_page", [1, 2, 4, 9, 20])
def test_every_row_comes_once(order: str, per_page: int, tenant: Tenant, devices: list[Device]) -> None:
    found = pages(tenant, order, per_page)
    keys = [device.key for part in found for device in part.rows]

    assert sorted(keys) == [f"d{n}" for n in range(9)]
    assert [part.start for part in found] == list(range(1, 10, per_page))
    assert found[0].before == ""


@pytest.mark.parametrize("order", ["key", "-name", "seen"])
def test_the_way_back_is_the_same_way(order: str, tenant: Tenant, devices: list[Device]) -> None:
    forth = pages(tenant, order, 2)
    back = [page(Device.objects.for_tenant(tenant), order, read_cursor(forth[-1].before), 2)]
    while back[-1].before:
        back.append(page(Device.objects.for_tenant(tenant), order, read_cursor(back[-1].before), 2))

    assert [[d.key for d in part.rows] for part in reversed(back)] == [[d.key for d in part.rows] for part in forth[:-1]]
    assert [part.start for part in reversed(back)] == [part.start for part in forth[:-1]]


def test_a_row_that_goes_moves_nothing(tenant: Tenant, devices: list[Device]) -> None:
    first = page(Device.objects.for_tenant(tenant), "key", None, 3)
    devices[0].delete()
    second = page(Device.objects.for_tenant(tenant), "key", read_cursor(first.after), 3)

    assert [device.key for device in second.rows] == ["d3", "d4", "d5"]


@pytest.mark.parametrize("text", ["", "x", "e30=", "WzEsMl0=", "bnVsbA==", "é", "WyIiLCJ4IiwxLGZhbHNlXQ=="])
def test_what_is_no_cursor_is_the_first_page(text: str) -> None:
    assert read_cursor(text) is None


def test_a_hostile_cursor_finds_nothing_and_breaks_nothing(tenant: Tenant, devices: list[Device]) -> None:
    for order, value in (("key", '"\\u0000"'), ("seen", '"yesterday"'), ("name", '"🐘"')):
        cursor = read_cursor(base64.urlsafe_b64encode(f"[{value},1,1,false]".encode()).decode())
        page(Device.objects.for_tenant(tenant), order, cursor)
