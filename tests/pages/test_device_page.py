"""The device page's tabs, for an owner, a viewer and a stranger."""

import re

import pytest
from django.test import Client

from devices import provisioning
from devices.models import Device, DevicePresence
from iotpanel.tenants.models import Tenant, User
from tests import make

from .device_data import make_cold_room, now_ms, report, say, series

TABS = ["", "events/", "frames/", "dead-letters/", "attributes/", "connect/"]
HOSTILE = "<script>alert(1)</script>\"'{{ 7 }}"


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_cold_room(tenant)


@pytest.mark.parametrize("tab", TABS)
def test_every_member_sees_every_tab(client: Client, viewer: User, device: Device, tab: str) -> None:
    client.force_login(viewer)
    answer = client.get(f"/devices/{device.key}/{tab}")
    assert answer.status_code == 200
    assert device.name in answer.content.decode()


@pytest.mark.parametrize("tab", TABS)
def test_a_stranger_gets_404(client: Client, stranger: User, device: Device, tab: str) -> None:
    client.force_login(stranger)
    assert client.get(f"/devices/{device.key}/{tab}").status_code == 404


@pytest.mark.parametrize("tab", TABS)
def test_nobody_is_sent_to_sign_in(client: Client, device: Device, tab: str) -> None:
    answer = client.get(f"/devices/{device.key}/{tab}")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("key", ["nope", "a%00b", "..", "%E2%98%83", "x" * 500, "iotpanel-worker"])
def test_a_key_that_nobody_has_is_404(client: Client, owner: User, key: str) -> None:
    client.force_login(owner)
    assert client.get(f"/devices/{key}/").status_code == 404


@pytest.mark.parametrize("tab", TABS)
def test_names_are_text_wherever_they_stand(client: Client, owner: User, tenant: Tenant, tab: str) -> None:
    group = make.make_group(tenant, name=HOSTILE)
    device = make_cold_room(tenant, name=HOSTILE, groups=[group], labels={"site": "<b>"})
    report(device, {HOSTILE: HOSTILE, "note": "</script><script>"})
    say(device, "events/opened", {"params": {"by": HOSTILE}})
    say(device, "attributes", {HOSTILE: HOSTILE})
    say(device, "telemetry", HOSTILE.encode())
    client.force_login(owner)
    page = client.get(f"/devices/{device.key}/{tab}").content.decode()
    assert "<script>alert" not in page
    assert "</script><script>" not in page
    assert "<b>" not in page.replace("<b>Waiting", "").replace("<b>A pasted", "").replace("<b>Door opened", "").replace("<b>opened", "")


def test_values_stand_on_the_page_before_any_script_runs(client: Client, owner: User, device: Device) -> None:
    report(device, {"temperature": -13.08, "door": True, "mode": "idle", "extra": [1, 2]})
    client.force_login(owner)
    page = client.get(f"/devices/{device.key}/").content.decode()
    assert "−13.1" in page
    assert ">on<" in page
    assert ">idle<" in page
    assert "[1,2]" in page
    assert 'data-property="extra"' in page
    assert 'data-period="60"' in page


def test_the_first_chart_is_of_a_number(client: Client, owner: User, device: Device) -> None:
    report(device, {"door": True, "temperature": 3})
    client.force_login(owner)
    assert client.get(f"/devices/{device.key}/").context["property"] == "temperature"
    assert client.get(f"/devices/{device.key}/?property=door").context["property"] == "door"


def test_a_device_that_never_spoke_waits(client: Client, owner: User, device: Device) -> None:
    client.force_login(owner)
    page = client.get(f"/devices/{device.key}/")
    assert "Waiting for the first message" in page.content.decode()
    assert page.context["state"] == "never"
    report(device, {"temperature": 3})
    page = client.get(f"/devices/{device.key}/")
    assert "Waiting for the first message" not in page.content.decode()
    assert page.context["state"] == "online"


def test_presence_in_words(client: Client, owner: User, device: Device) -> None:
    report(device, {"temperature": 3})
    DevicePresence.objects.filter(device=device).update(online=False)
    client.force_login(owner)
    assert client.get(f"/devices/{device.key}/").context["state"] == "offline"
    provisioning.update_device(device, enabled=False)
    page = client.get(f"/devices/{device.key}/")
    assert page.context["state"] == "disabled"
    assert "the broker refuses it" in page.content.decode()


def test_the_ledger_of_the_device_is_balanced(client: Client, owner: User, device: Device) -> None:
    report(device, {"temperature": 3})
    report(device, {"temperature": 99})
    say(device, "telemetry", b"{")
    client.force_login(owner)
    page = client.get(f"/devices/{device.key}/")
    counts = page.context["counts"]
    assert (counts.received, counts.stored, counts.dead_lettered) == (3, 1, 2)
    assert page.context["missing"] == 0
    assert "balanced" in page.content.decode()


def test_children_and_gateway_link_to_each_other(client: Client, owner: User, tenant: Tenant, device: Device) -> None:
    child = make_cold_room(tenant, name="Child", product=device.product, parent=device)
    client.force_login(owner)
    assert f'href="/devices/{child.key}/"' in client.get(f"/devices/{device.key}/").content.decode()
    assert f'href="/devices/{device.key}/"' in client.get(f"/devices/{child.key}/").content.decode()


def test_another_tenant_of_the_same_person_shows_after_switching_only(client: Client, owner: User, device: Device) -> None:
    other = make.make_tenant()
    theirs = make_cold_room(other)
    client.force_login(owner)
    assert client.get(f"/devices/{theirs.key}/").status_code == 404


def test_many_properties_are_bounded(client: Client, owner: User, tenant: Tenant) -> None:
    device = make_cold_room(tenant)
    report(device, {f"p{i}": i for i in range(400)})
    client.force_login(owner)
    assert len(client.get(f"/devices/{device.key}/").context["tiles"]) == 300


def test_tiles_come_anew_as_a_fragment(client: Client, viewer: User, device: Device) -> None:
    report(device, {"fresh": 5})
    client.force_login(viewer)
    page = client.get(f"/devices/{device.key}/parts/values/").content.decode()
    assert 'data-property="fresh"' in page
    assert "<html" not in page


def test_sparklines_hold_the_last_day(client: Client, viewer: User, device: Device) -> None:
    series(device, "temperature", [1.0, 2.0, 3.0])
    report(device, {"door": True})
    client.force_login(viewer)
    lines = client.get(f"/devices/{device.key}/parts/sparks/").json()["lines"]
    assert [point[1] for point in lines["temperature"]["points"]] == [1, 2, 3]
    assert [point[1] for point in lines["door"]["points"]] == [1]


def test_the_page_says_the_servers_time(client: Client, viewer: User, device: Device) -> None:
    client.force_login(viewer)
    assert abs(client.get(f"/devices/{device.key}/").context["now_ms"] - now_ms()) < 60_000


def test_the_place_is_the_reported_one_with_its_age_else_the_registered_one(client: Client, viewer: User, tenant: Tenant) -> None:
    device = make_cold_room(tenant, latitude=48.1, longitude=-11.5)
    client.force_login(viewer)
    page = client.get(f"/devices/{device.key}/").content.decode()
    assert "48.10000°, −11.50000°" in page
    assert ">registered<" in page

    report(device, {"position": {"lat": 53.5413, "lon": 9.9841}}, minutes_ago=5)
    page = client.get(f"/devices/{device.key}/").content.decode()
    assert "53.54130°, 9.98410°" in page
    assert re.search(r"reported <time [^>]*data-ago>5 min ago</time>", page)
    assert "48.10000" not in page


def test_without_any_place_none_is_shown(client: Client, viewer: User, device: Device) -> None:
    report(device, {"lat": HOSTILE, "lon": HOSTILE})
    client.force_login(viewer)
    page = client.get(f"/devices/{device.key}/").content.decode()
    assert '<dt data-part="place" hidden>' in page
