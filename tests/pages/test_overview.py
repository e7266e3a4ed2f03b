"""The overview: counts that are true, and what needs somebody, most urgent first."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from devices.models import Device, DevicePresence
from iotpanel.pages.overview import attention, figures, fleet
from iotpanel.pages.overview.latency import quantile
from iotpanel.pages.overview.window import window
from iotpanel.tenants.models import Tenant, User
from telemetry import ledger
from telemetry.models import DeadLetterRecord
from tests import make
from tests.pages.people import browser, links, words

HOUR = timedelta(hours=1)


def seen(device: Device, online: bool, ago: timedelta = HOUR) -> Device:
    at = timezone.now() - ago
    DevicePresence.objects.filter(device=device).update(online=online, last_seen=at, changed_at=at, cause="silence")
    return device


def letter(device: Device, reason: str = "out_of_range", ago: timedelta = HOUR, **overrides: Any) -> DeadLetterRecord:
    values: dict[str, Any] = {"tenant": device.tenant, "device": device, "product": device.product, "key": device.key}
    values |= {"topic": f"devices/{device.key}/up/telemetry", "reason": reason, "payload": b"{}", "received_at": timezone.now() - ago}
    return DeadLetterRecord.objects.create(**values | overrides)


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "readiness", lambda: {"database": "ok", "uplink": "ok", "broker": "ok"})


def needs(tenant: Tenant, platform: bool = False) -> list[attention.Item]:
    return attention.items(tenant, window("24h"), platform)


def test_it_counts_devices_by_state(tenant: Tenant, viewer: User, other_tenant: Tenant) -> None:
    product = make.make_product(tenant, key="climate", name="Room climate")
    seen(make.make_device(tenant, product=product), True)
    seen(make.make_device(tenant, product=product), True)
    seen(make.make_device(tenant, product=product), False)
    make.make_device(tenant, product=product)
    seen(make.make_device(tenant, product=product, enabled=False), True)
    seen(make.make_device(other_tenant), True)

    found = fleet.products(tenant)
    assert found == [fleet.Product("climate", "Room climate", 5, 2, 1, 1, 1)]
    assert fleet.total(found)[2:] == (5, 2, 1, 1, 1)
    page = browser(viewer).get("/")
    assert "Devices online 2 of 5" in words(page.content)
    assert "2 online, 1 offline, 1 never seen, 1 disabled" in page.content.decode()


def test_every_device_is_a_cell(tenant: Tenant) -> None:
    product = make.make_product(tenant, key="climate")
    seen(make.make_device(tenant, key="b", name="B", product=product), False)
    seen(make.make_device(tenant, key="a", name="A", product=product), True)

    assert fleet.cells(tenant, 2) == {"climate": [["/devices/a/", "A", "online", ""], ["/devices/b/", "B", "offline", ""]]}


def test_a_cell_is_a_group_where_there_are_too_many(tenant: Tenant) -> None:
    product, north = make.make_product(tenant, key="climate"), make.make_group(tenant, key="north", name="North")
    seen(make.make_device(tenant, product=product, groups=[north]), True)
    seen(make.make_device(tenant, product=product, groups=[north]), False)
    seen(make.make_device(tenant, product=product), True)

    assert fleet.cells(tenant, fleet.MOST_CELLS + 1) == {
        "climate": [
            ["/devices/?product=climate&group=north", "North: 1 / 2", "offline"],
            ["/devices/?product=climate", "–: 1 / 1", "online"],
        ]
    }


def test_the_books_balance_or_say_what_is_missing(tenant: Tenant, viewer: User) -> None:
    device = make.make_device(tenant)
    ledger.append({device.pk: (10, 6, 2, 1, 1, 0)})
    books = figures.books(tenant, window("24h"))
    assert books.missing == 0
    assert (books.counts.received, books.stored_share, books.letters_share) == (10, 60.0, 10.0)
    assert "balanced nothing is unaccounted for" in words(browser(viewer).get("/").content)

    ledger.append({device.pk: (5, 2, 0, 0, 0, 0)})
    assert figures.books(tenant, window("24h")).missing == 3
    assert "3 unaccounted for" in words(browser(viewer).get("/").content)


def test_the_books_are_the_tenants_own(tenant: Tenant, other_tenant: Tenant) -> None:
    ledger.append({make.make_device(other_tenant).pk: (10, 10, 0, 0, 0, 0), 0: (5, 0, 0, 0, 5, 0)})

    assert figures.books(tenant, window("24h")).counts.received == 0


def test_letters_are_counted_in_the_window_and_while_they_wait(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    letter(device)
    letter(device, "bad_value")
    letter(device, "bad_value")
    letter(device, "bad_value", ago=timedelta(days=2))
    letter(device, replayed_at=timezone.now())

    assert figures.letters(tenant, window("24h")) == (3, 2)
    assert figures.letters(tenant, window("7d")) == (4, 3)


def test_a_quiet_fleet_needs_nobody(tenant: Tenant, viewer: User, healthy: None) -> None:
    seen(make.make_device(tenant), True)
    make.make_device(tenant)

    assert needs(tenant) == []
    assert "Nothing needs you" in words(browser(viewer).get("/").content)


def test_few_silent_devices_are_named_and_many_are_counted(tenant: Tenant, healthy: None) -> None:
    few, many = make.make_product(tenant, name="Pump"), make.make_product(tenant, key="climate", name="Room climate")
    seen(make.make_device(tenant, key="pump-1", name="Pump 1", product=few), False)
    for _ in range(4):
        seen(make.make_device(tenant, product=many), False)
    found = {item.title: item for item in needs(tenant)}

    assert set(found) == {"Pump 1 is offline", "4 devices of “Room climate” are offline"}
    assert found["Pump 1 is offline"].url == "/devices/pump-1/"
    assert found["4 devices of “Room climate” are offline"].url == "/devices/?view=offline&product=climate"


@pytest.mark.parametrize("cause", ["uplink", "status", "will", "broker", "silence", ""])
def test_why_a_device_went_is_said_where_it_is_known(cause: str, tenant: Tenant, healthy: None) -> None:
    device = seen(make.make_device(tenant, name="Pump"), False)
    DevicePresence.objects.filter(device=device).update(cause=cause)
    [item] = needs(tenant)

    assert len(item.notes) == (1 if cause in ("", "uplink") else 2)


def test_children_are_their_gateways_matter(tenant: Tenant, healthy: None) -> None:
    gateway = seen(make.make_device(tenant, key="gw", name="Gateway east"), True)
    for _ in range(3):
        seen(make.make_device(tenant, parent=gateway), False)
    assert [item.title for item in needs(tenant)] == ["Gateway east: 3 children are silent"]

    seen(gateway, False)
    assert "Gateway east is offline" in [item.title for item in needs(tenant)]


def test_letters_are_grouped_by_reason_and_product(tenant: Tenant, healthy: None) -> None:
    product = make.make_product(tenant, key="climate", name="Room climate")
    one, two = make.make_device(tenant, product=product), make.make_device(tenant, product=product)
    for device in (one, one, two):
        letter(device)
    letter(one, "not_json")
    found = needs(tenant)

    assert [item.title for item in found if item.code == "out_of_range"] == ["3 messages of “Room climate”: a value out of range"]
    [item] = [item for item in found if item.code == "out_of_range"]
    assert item.url == "/dead-letters/?reason=out_of_range&product=climate"
    assert item.notes[0] == "2 devices"
    assert [item.title for item in found if item.code == "not_json"] == ["1 message of “Room climate”: the payload is not JSON"]


def test_the_most_urgent_comes_first_and_then_the_newest(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "readiness", lambda: {"uplink": "no worker reports", "broker": "unknown"})
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(total=1000, used=950, free=50))
    letter(seen(make.make_device(tenant, name="Old"), False, timedelta(hours=9)))
    seen(make.make_device(tenant, name="New"), False, timedelta(minutes=5))

    assert [item.severity for item in needs(tenant, platform=True)] == ["critical", "major", "warning", "warning", "info"]
    assert [item.title for item in needs(tenant)][:3] == ["The uplink worker does not run", "New is offline", "Old is offline"]


def test_what_happens_elsewhere_is_not_shown(tenant: Tenant, stranger: User, other_tenant: Tenant, healthy: None) -> None:
    letter(seen(make.make_device(tenant, key="secret-1", name="Secret"), False))
    make.make_device(other_tenant)
    page = browser(stranger).get("/")

    assert "Secret" not in words(page.content)
    assert not any("secret-1" in link for link in links(page.content))
    assert needs(other_tenant) == []


@pytest.mark.parametrize(("asked", "key"), [("1h", "1h"), ("30d", "30d"), ("", "24h"), ("9y", "24h")])
def test_the_window_is_in_the_address(asked: str, key: str, tenant: Tenant, viewer: User) -> None:
    make.make_device(tenant)

    assert window(asked).key == key
    assert f'href="?range={key}" aria-current="true"' in browser(viewer).get(f"/?range={asked}").content.decode()


def test_an_empty_tenant_is_welcomed_until_somebody_skips_it(owner: User) -> None:
    client = browser(owner)
    assert client.get("/")["Location"] == "/welcome/"
    client.post("/welcome/skip/")

    assert client.get("/").status_code == 200


@pytest.mark.parametrize(("share", "expected"), [(0.25, 0.015), (0.5, 0.02), (0.9, 0.05), (0.99, 0.095), (1.0, 0.1)])
def test_a_quantile_lies_inside_its_bucket(share: float, expected: float) -> None:
    buckets = [(0.01, 0.0), (0.02, 100.0), (0.05, 180.0), (0.1, 200.0), (float("inf"), 200.0)]

    assert quantile(buckets, share) == pytest.approx(expected)


def test_beyond_the_last_bucket_its_limit_is_what_is_known() -> None:
    assert quantile([(1.0, 0.0), (float("inf"), 7.0)], 0.99) == 1.0
