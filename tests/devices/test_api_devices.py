"""Devices and groups by REST."""

from datetime import UTC, datetime
from typing import Any

import pytest

from devices.models import Device, DevicePresence
from devices.provisioning import verify_secret
from iotpanel.tenants.models import Tenant, User
from tests.make import make_device, make_device_with_secret, make_group, make_product
from tests.rest import Rest, refused, results


@pytest.fixture
def climate(tenant: Tenant) -> Any:
    return make_product(tenant, key="climate")


def keys(answer: Any) -> list[str]:
    return sorted(row["key"] for row in results(answer))


def test_a_devices_life(owner: User, tenant: Tenant, climate: Any) -> None:
    api = Rest(owner)
    make_group(tenant, key="hall")
    make_device(tenant, key="gateway", product=climate)
    body = {"key": "room-1", "name": "Room 1", "product": "climate", "parent": "gateway", "groups": ["hall"]}
    answer = api.post("devices/", body | {"labels": {"floor": "2"}, "location": {"lat": 52.5, "lon": 13.4}})
    assert answer.status_code == 201, answer.content
    shown = answer.json()
    credentials = shown.pop("credentials")
    assert credentials["username"] == "room-1"
    assert verify_secret("room-1", credentials["secret"]) == Device.objects.get(key="room-1")
    assert shown["status"] == {"online": False, "last_seen": None}
    assert {name: shown[name] for name in body} == body
    assert (shown["labels"], shown["location"], shown["enabled"]) == ({"floor": "2"}, {"lat": 52.5, "lon": 13.4}, True)
    assert api.get("devices/room-1/").json() == shown
    patched = api.patch("devices/room-1/", {"groups": [], "enabled": False, "location": None, "parent": None}).json()
    assert (patched["groups"], patched["enabled"], patched["location"], patched["parent"], patched["name"]) == (
        [],
        False,
        None,
        None,
        "Room 1",
    )
    put = api.put("devices/room-1/", {"key": "room-1", "product": "climate"}).json()
    assert (put["name"], put["labels"], put["enabled"]) == ("room-1", {}, True)
    assert api.delete("devices/room-1/").status_code == 204
    refused(api.get("devices/room-1/"), 404, "not_found")


def test_the_status_is_the_presence(owner: User, tenant: Tenant) -> None:
    device = make_device(tenant)
    seen = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    DevicePresence.objects.filter(device=device).update(online=True, last_seen=seen)
    assert Rest(owner).get(f"devices/{device.key}/").json()["status"] == {"online": True, "last_seen": "2026-01-02T03:04:05Z"}


def test_a_key_is_unique_on_the_platform(owner: User, climate: Any, other_tenant: Tenant) -> None:
    make_device(other_tenant, key="room-1")
    refused(Rest(owner).post("devices/", {"key": "room-1", "product": "climate"}), 409, "key_taken")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": "../etc"}, "key"),
        ({"key": "iotpanel-x"}, "key"),
        ({"product": "no-such"}, "product"),
        ({"product": 7}, "product"),
        ({"product": None}, "product"),
        ({"parent": "no-such"}, "parent"),
        ({"groups": ["no-such"]}, "groups"),
        ({"groups": "hall"}, "groups"),
        ({"labels": {"a": 1}}, "labels"),
        ({"labels": ["a"]}, "labels"),
        ({"labels": {f"l{number}": "x" for number in range(33)}}, "labels"),
        ({"location": {"lat": 91, "lon": 0}}, "location"),
        ({"location": {"lat": 1}}, "location"),
        ({"location": [1, 2]}, "location"),
        ({"enabled": "perhaps"}, "enabled"),
        ({"name": "x" * 201}, "name"),
    ],
)
def test_what_is_wrong_is_named(owner: User, climate: Any, change: dict[str, Any], field: str) -> None:
    body = {"key": "room-1", "product": "climate"} | change
    assert set(refused(Rest(owner).post("devices/", body), 400, "invalid")) == {field}
    assert not Device.objects.exists()


def test_other_tenants_things_are_unknown(owner: User, climate: Any, other_tenant: Tenant) -> None:
    foreign = make_device(other_tenant, product=make_product(other_tenant, key="theirs"))
    make_group(other_tenant, key="their-group")
    body = {"key": "room-1", "product": "climate"}
    for change in ({"product": "theirs"}, {"parent": foreign.key}, {"groups": ["their-group"]}):
        assert set(refused(Rest(owner).post("devices/", body | change), 400, "invalid")) == set(change)


def test_a_device_cannot_be_below_itself(owner: User, tenant: Tenant, climate: Any) -> None:
    top = make_device(tenant, key="top", product=climate)
    make_device(tenant, key="below", product=climate, parent=top)
    assert set(refused(Rest(owner).patch("devices/top/", {"parent": "below"}), 400, "invalid")) == {"parent"}


def test_rotation_gives_a_new_secret_and_ends_the_old(owner: User, tenant: Tenant) -> None:
    device, old = make_device_with_secret(tenant, key="room-1")
    fresh = Rest(owner).post("devices/room-1/rotate/").json()
    assert fresh["credentials"] == {"username": "room-1", "secret": fresh["secret"]}
    assert verify_secret("room-1", old) is None
    assert verify_secret("room-1", fresh["secret"]) == device


def test_grace_needs_a_broker_that_asks_us(owner: User, tenant: Tenant, settings: Any) -> None:
    device, old = make_device_with_secret(tenant, key="room-1")
    settings.BROKER_DIR = "/somewhere"
    assert set(refused(Rest(owner).post("devices/room-1/rotate/", {"grace": 60}), 400, "grace_unsupported")) == {"grace"}
    settings.BROKER_DIR = ""
    fresh = Rest(owner).post("devices/room-1/rotate/", {"grace": 60}).json()["secret"]
    assert verify_secret("room-1", old) == verify_secret("room-1", fresh) == device


def test_revoking_ends_every_secret(owner: User, tenant: Tenant) -> None:
    _device, secret = make_device_with_secret(tenant, key="room-1")
    assert Rest(owner).post("devices/room-1/revoke/").status_code == 204
    assert verify_secret("room-1", secret) is None


def test_filters(owner: User, tenant: Tenant, climate: Any) -> None:
    house = make_group(tenant, key="house")
    hall = make_group(tenant, key="hall", parent=house)
    first = make_device(tenant, key="one", name="Übersicht", product=climate, groups=[hall, house], labels={"floor": "2", "wing": "east"})
    make_device(tenant, key="two", product=climate, parent=first, labels={"floor": "3"}, enabled=False)
    make_device(tenant, key="three")
    DevicePresence.objects.filter(device=first).update(online=True)
    api = Rest(owner)
    assert keys(api.get("devices/", product="climate")) == ["one", "two"]
    assert keys(api.get("devices/", group="house")) == ["one"]
    assert keys(api.get("devices/", group="hall")) == ["one"]
    assert keys(api.get("devices/", parent="one")) == ["two"]
    assert keys(api.get("devices/", label="floor")) == ["one", "two"]
    assert keys(api.get("devices/", label="floor=3")) == ["two"]
    assert keys(api.get("devices/", label=["floor=2", "wing=east"])) == ["one"]
    assert keys(api.get("devices/", label=["floor=3", "wing=east"])) == []
    assert keys(api.get("devices/", online="true")) == ["one"]
    assert keys(api.get("devices/", online="false")) == ["three", "two"]
    assert keys(api.get("devices/", enabled="false")) == ["two"]
    assert keys(api.get("devices/", search="übers")) == ["one"]
    assert keys(api.get("devices/", search="east one")) == ["one"]
    assert set(refused(api.get("devices/", group="nope"), 400, "invalid")) == {"group"}
    assert set(refused(api.get("devices/", online="maybe"), 400, "invalid")) == {"online"}


def test_a_list_costs_the_same_however_long(owner: User, tenant: Tenant, climate: Any, django_assert_max_num_queries: Any) -> None:
    group = make_group(tenant)
    for number in range(12):
        make_device(tenant, key=f"d{number}", product=climate, groups=[group])
    api = Rest(owner)
    with django_assert_max_num_queries(12):
        assert len(results(api.get("devices/"))) == 12


@pytest.mark.parametrize("path", ["devices/a%00b/", "devices/?search=%00", "devices/%2e%2e/", "devices/" + "x" * 65 + "/"])
def test_hostile_addresses_are_no_faults(owner: User, path: str) -> None:
    assert Rest(owner).get(path).status_code in (400, 404)


def test_names_are_text(owner: User, climate: Any) -> None:
    name = "<script>alert(1)</script> & \"'"
    answer = Rest(owner).post("devices/", {"key": "x", "name": name, "product": "climate"})
    assert answer.json()["name"] == name
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_viewer_reads_and_a_stranger_sees_nothing(viewer: User, stranger: User, tenant: Tenant) -> None:
    make_device(tenant, key="room-1")
    assert keys(Rest(viewer).get("devices/")) == ["room-1"]
    for answer in (Rest(viewer).delete("devices/room-1/"), Rest(viewer).post("devices/room-1/rotate/")):
        refused(answer, 403, "permission_denied")
    assert results(Rest(stranger).get("devices/")) == []
    for answer in (
        Rest(stranger).get("devices/room-1/"),
        Rest(stranger).post("devices/room-1/rotate/"),
        Rest(stranger).delete("devices/room-1/"),
    ):
        refused(answer, 404, "not_found")


def test_a_groups_life(owner: User) -> None:
    api = Rest(owner)
    assert api.post("groups/", {"key": "house", "name": "House"}).status_code == 201
    assert api.post("groups/", {"key": "hall", "name": "Hall", "parent": "house"}).json()["parent"] == "house"
    assert set(refused(api.patch("groups/house/", {"parent": "hall"}), 400, "invalid")) == {"parent"}
    refused(api.delete("groups/house/"), 409, "in_use")
    refused(api.post("groups/", {"key": "hall", "name": "Again"}), 409, "key_taken")
    assert api.put("groups/hall/", {"key": "hall", "name": "Great hall"}).json()["parent"] is None
    assert keys(api.get("groups/", search="great")) == ["hall"]
    assert api.delete("groups/hall/").status_code == 204


def test_a_missing_slash_leads_to_the_address(owner: User, climate: Any) -> None:
    answer = Rest(owner).post("devices?x=1", {"key": "room-1", "product": "climate"})
    assert (answer.status_code, answer["Location"]) == (308, "/api/v1/devices/?x=1")


@pytest.mark.parametrize("path", ["nothing/", "devices/x/y/z", "", "rules/1/nothing/", "alarms/nothing/at/all/"])
def test_an_unknown_address_is_404_in_the_one_shape(owner: User, path: str) -> None:
    refused(Rest(owner).get(path), 404, "not_found")


def test_a_wrong_method_is_405(owner: User) -> None:
    answer = Rest(owner).delete("devices/")
    refused(answer, 405, "method_not_allowed")
    assert "GET" in answer["Allow"]


def test_a_body_that_is_no_json_type_is_415(owner: User) -> None:
    api = Rest(owner)
    answer = api.client.post("/api/v1/devices/", "a=b", content_type="application/x-www-form-urlencoded", headers=api.headers)
    refused(answer, 415, "unsupported_media_type")


def test_a_fault_of_ours_has_the_shape_and_no_text(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("devices.api.views.filter_devices", broken)
    api = Rest(owner)
    api.client.raise_request_exception = False
    answer = api.get("devices/")
    refused(answer, 500, "error")
    assert b"secret detail" not in answer.content
