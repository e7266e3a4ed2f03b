"""The device list: what it shows, how it is narrowed, and what can be done with many devices at once."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from devices.models import Device, DevicePresence
from iotpanel.pages.devices.filters import Filters
from iotpanel.tenants.models import Role, Tenant, User
from telemetry.models import Latest, RollupMinute
from tests import make
from tests.pages.people import browser, words

MODEL: dict[str, Any] = {
    "properties": [
        {"key": "door", "name": "Door", "type": "boolean"},
        {"key": "temperature", "name": "Temperature", "unit": "°C", "type": "number", "precision": 1},
    ]
}


def seen(device: Device, online: bool, ago: timedelta = timedelta(seconds=4)) -> Device:
    at = timezone.now() - ago
    DevicePresence.objects.filter(device=device).update(online=online, last_seen=at, changed_at=at)
    return device


def says(device: Device, **values: Any) -> None:
    now = datetime.now(UTC)
    entries = {name: [value, int(now.timestamp() * 1_000_000)] for name, value in values.items()}
    Latest.objects.create(device_id=device.pk, newest_at=now, merged_from=now, values=entries)


@pytest.fixture
def fleet(tenant: Tenant) -> dict[str, Device]:
    product = make.make_product(tenant, key="climate", name="Room climate", thing_model=MODEL)
    other = make.make_product(tenant, key="pump", name="Pump station")
    site = make.make_group(tenant, key="site", name="Site")
    hall = make.make_group(tenant, key="hall", name="Hall", parent=site)
    devices = {
        "office": seen(make.make_device(tenant, key="c-1", name="Office", product=product, groups=[hall], labels={"site": "north"}), True),
        "dock": seen(make.make_device(tenant, key="c-2", name="Dock", product=product, groups=[site]), False, timedelta(hours=5)),
        "new": make.make_device(tenant, key="c-3", name="Attic", product=product),
        "old": make.make_device(tenant, key="p-1", name="Well", product=other, enabled=False, labels={"site": "south"}),
    }
    says(devices["office"], temperature=-13.08, door=True)
    return devices


def shown(user: User, query: str = "") -> str:
    return words(browser(user).get(f"/devices/{query}").content)


def names(user: User, query: str) -> set[str]:
    text = shown(user, query)
    return {name for name in ("Office", "Dock", "Attic", "Well") if f" {name} " in text}


def test_a_row_says_state_value_and_place(viewer: User, fleet: dict[str, Device]) -> None:
    text = shown(viewer)

    assert "Office c-1 Online Room climate Hall −13.1 °C" in text
    assert "Dock c-2 Offline 5 h Room climate Site no data" in text
    assert "Attic c-3 Never seen Room climate no data Connect" in text
    assert "Well p-1 Disabled Pump station no data" in text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"Office", "Dock", "Attic", "Well"}),
        ("?view=online", {"Office"}),
        ("?view=offline", {"Dock"}),
        ("?view=never", {"Attic"}),
        ("?view=disabled", {"Well"}),
        ("?view=nonsense", {"Office", "Dock", "Attic", "Well"}),
        ("?q=OFF", {"Office"}),
        ("?q=c-2", {"Dock"}),
        ("?q=site%3Dnorth", {"Office"}),
        ("?q=site+%3D+south", {"Well"}),
        ("?product=pump", {"Well"}),
        ("?group=hall", {"Office"}),
        ("?group=site", {"Office", "Dock"}),
        ("?group=nowhere", set()),
        ("?label=site", {"Office", "Well"}),
        ("?label=site%3Dnorth&label=site%3Dsouth", set()),
        ("?product=climate&view=never", {"Attic"}),
        ("?q=%25", set()),
        ("?q=%00", {"Office", "Dock", "Attic", "Well"}),
        ("?sort=nonsense&cursor=nonsense", {"Office", "Dock", "Attic", "Well"}),
    ],
)
def test_the_address_narrows_the_list(query: str, expected: set[str], viewer: User, fleet: dict[str, Device]) -> None:
    assert names(viewer, query) == expected


@pytest.mark.parametrize(
    "query", ["", "?view=offline", "?view=alarm", "?q=site%3Dnorth", "?group=site&view=online", "?label=site", "?q=%25", "?q=%00"]
)
def test_the_export_holds_what_the_list_shows(query: str, viewer: User, fleet: dict[str, Device]) -> None:
    answer = browser(viewer).get(f"/devices/-/export/{query}")
    assert answer["Content-Disposition"] == 'attachment; filename="devices.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert {row["name"] for row in rows} == names(viewer, query)


def test_the_export_says_what_it_holds(viewer: User, stranger: User, fleet: dict[str, Device]) -> None:
    page = browser(viewer).get("/devices/?group=site&sort=-seen")
    assert "Export 2 devices" in words(page.content)
    assert 'href="/devices/-/export/?group=site"' in page.content.decode()
    assert "Export 1 device " in shown(viewer, "?view=online")
    assert "Export 4" not in shown(viewer)
    table = browser(viewer).get("/devices/?q=office", headers={"HX-Request": "true"}).content.decode()
    assert 'id="device-export"' in table
    assert browser(stranger).get("/devices/-/export/?group=site").getvalue().decode().splitlines()[1:] == []


def test_the_views_count_under_the_filters(viewer: User, fleet: dict[str, Device]) -> None:
    assert "All 4 Online 1 Offline 1 Never seen 1 Disabled 1" in shown(viewer)
    assert "All 3 Online 1 Offline 1 Never seen 1 Disabled 0" in shown(viewer, "?product=climate")


def test_a_filter_can_be_taken_off_again(viewer: User, fleet: dict[str, Device]) -> None:
    html = browser(viewer).get("/devices/?view=offline&group=site&label=site%3Dnorth&sort=-seen").content.decode()

    assert 'href="/devices/?view=offline&amp;label=site%3Dnorth&amp;sort=-seen"' in html
    assert 'href="/devices/?view=offline&amp;group=site&amp;sort=-seen"' in html


def order(user: User, query: str) -> list[str]:
    text = shown(user, query)
    return sorted(("Office c-1", "Dock c-2", "Attic c-3", "Well p-1"), key=text.index)


def test_it_sorts_both_ways(viewer: User, fleet: dict[str, Device]) -> None:
    assert order(viewer, "?sort=name") == ["Attic c-3", "Dock c-2", "Office c-1", "Well p-1"]
    assert order(viewer, "?sort=-name") == ["Well p-1", "Office c-1", "Dock c-2", "Attic c-3"]
    assert order(viewer, "?sort=-seen")[:2] == ["Office c-1", "Dock c-2"]


def test_an_address_keeps_what_was_asked() -> None:
    filters = Filters(view="offline", query="a b", labels=("site=north", "floor=1"), sort="-seen")

    assert filters.address() == "?view=offline&q=a+b&label=site%3Dnorth&label=floor%3D1&sort=-seen"
    assert filters.address(view="all", labels=()) == "?q=a+b&sort=-seen"


def test_strangers_see_and_change_nothing_of_it(stranger: User, fleet: dict[str, Device]) -> None:
    assert names(stranger, "") == set()
    browser(stranger).post("/devices/-/change/", {"action": "disable", "device": ["c-1"]})
    fleet["office"].refresh_from_db()
    assert fleet["office"].enabled
    assert browser(stranger).get("/devices/-/sparks/?device=c-1").json() == {}


def test_an_admin_changes_many_at_once(tenant: Tenant, fleet: dict[str, Device]) -> None:
    client = browser(make.make_member(tenant, Role.ADMIN))
    answer = client.post("/devices/-/change/", {"action": "disable", "device": ["c-1", "c-2", "unknown"], "back": "?view=online"})
    assert answer["Location"] == "/devices/?view=online"
    assert set(Device.objects.filter(enabled=False).values_list("key", flat=True)) == {"c-1", "c-2", "p-1"}
    assert "2 devices changed" in words(client.get("/devices/").content)

    client.post("/devices/-/change/", {"action": "enable", "device": ["c-1"]})
    client.post("/devices/-/change/", {"action": "group", "group": "site", "device": ["c-1"]})
    fleet["office"].refresh_from_db()
    assert fleet["office"].enabled
    assert {group.key for group in fleet["office"].groups.all()} == {"hall", "site"}


@pytest.mark.parametrize("asked", [{"action": "delete"}, {"action": "group", "group": "foreign"}, {}])
def test_what_cannot_be_done_is_said(asked: dict[str, str], owner: User, fleet: dict[str, Device], other_tenant: Tenant) -> None:
    make.make_group(other_tenant, key="foreign")
    client = browser(owner)
    client.post("/devices/-/change/", asked | {"device": ["c-1"]})

    assert "Choose what to do" in words(client.get("/devices/").content)
    assert fleet["office"].groups.count() == 1


def test_an_operator_may_not(tenant: Tenant, fleet: dict[str, Device]) -> None:
    client = browser(make.make_member(tenant, Role.OPERATOR))

    assert client.post("/devices/-/change/", {"action": "disable", "device": ["c-1"]}).status_code == 403
    assert "data-selection" not in client.get("/devices/").content.decode()
    assert "Add device" not in words(client.get("/devices/").content)


def test_the_small_lines_come_from_the_minutes(viewer: User, fleet: dict[str, Device]) -> None:
    now = timezone.now()
    for minutes, value in ((2, 20.0), (3, 22.0), (200, 10.0), (500, 99.0)):
        bucket = now - timedelta(minutes=minutes)
        times = {"first": value, "last": value, "first_at": bucket, "last_at": bucket, "low": value, "high": value}
        RollupMinute.objects.create(
            device_id=fleet["office"].pk, property="temperature", bucket=bucket, count=1, numbers=1, total=value, **times
        )
    lines = browser(viewer).get("/devices/-/sparks/?device=c-1&device=c-2").json()

    assert set(lines) == {"c-1"}
    assert len(lines["c-1"]) == 36
    assert sum(value is not None for value in lines["c-1"]) in (2, 3)
    assert 10.0 in lines["c-1"]
    assert 99.0 not in lines["c-1"]


def test_htmx_gets_the_table_alone(viewer: User, fleet: dict[str, Device]) -> None:
    part = browser(viewer).get("/devices/?q=off", headers={"HX-Request": "true"}).content.decode()

    assert "<html" not in part
    assert 'id="device-table"' in part
    assert "Office" in part


def test_an_empty_tenant_offers_the_first_step(owner: User, viewer: User) -> None:
    assert "Connect your first device" in shown(owner)
    assert "Connect your first device" not in shown(viewer)
