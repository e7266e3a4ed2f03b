"""The fleet is registered by the same verbs as anybody's devices, and never touches what is somebody's own."""

import json
import stat
from pathlib import Path

import pytest

from devices.models import Device, Product
from devices.provisioning import delete_device, rotate_secret, verify_secret
from devices.simulator.accounts import register
from devices.simulator.fleet import MAX_DEVICES, Member, members
from devices.simulator.fleet_file import read, write
from devices.topics import is_device_key
from iotpanel.tenants.models import Tenant
from tests.make import make_device


@pytest.mark.parametrize(("devices", "connections"), [(1, 1), (3, 3), (6, 6), (9, 6), (14, 11), (100, 97)])
def test_it_is_as_large_as_it_is_told(devices: int, connections: int) -> None:
    found = members(devices)
    assert len(found) == connections
    children = 3 * sum(member.kind == "gateway" for member in found)
    assert len(found) + children == devices
    assert len({member.key for member in found}) == len(found)
    assert len({member.name for member in found}) == len(found)
    assert all(is_device_key(member.key) for member in found)


def test_the_usual_fleet_has_at_least_five_products() -> None:
    assert {member.kind for member in members(14)} == {"climate", "meter", "tracker", "gateway", "em300", "cold"}
    assert len(members(MAX_DEVICES * 10)) + 3 == MAX_DEVICES


def test_locations_are_degrees() -> None:
    for member in members(200):
        assert member.kind == "tracker" or member.location is not None
        assert member.location is None or (abs(member.location[0]) < 90 and abs(member.location[1]) < 180)


def test_it_registers_devices_with_secrets_that_work(tenant: Tenant) -> None:
    fleet, taken = register(tenant, members(14), {})
    assert taken == []
    assert set(fleet) == {member.key for member in members(14)}
    for key, entry in fleet.items():
        device = verify_secret(key, entry["secret"])
        assert device is not None
        assert device.tenant == tenant
        assert entry["history"] is False
        assert device.groups.count() == 1
    gateway = Device.objects.get(key="gateway-1").product
    assert gateway.register_children
    assert Product.objects.filter(tenant=tenant, key="heat-meter").exists()


def test_a_second_start_changes_nothing(tenant: Tenant) -> None:
    first, _ = register(tenant, members(14), {})
    first["cold-1"]["history"] = True
    again, _ = register(tenant, members(14), json.loads(json.dumps(first)))
    assert again == first
    assert Device.objects.filter(tenant=tenant).count() == 11


def test_a_lost_secret_is_replaced(tenant: Tenant) -> None:
    first, _ = register(tenant, members(3), {})
    lost = {key: entry for key, entry in first.items() if key != "meter-1"}
    again, _ = register(tenant, members(3), lost)
    assert again["climate-1"] == first["climate-1"]
    assert again["meter-1"]["secret"] != first["meter-1"]["secret"]
    assert again["meter-1"]["history"] is True
    assert verify_secret("meter-1", again["meter-1"]["secret"])
    assert verify_secret("meter-1", first["meter-1"]["secret"]) is None


def test_a_new_database_gets_new_devices(tenant: Tenant) -> None:
    first, _ = register(tenant, members(1), {})
    delete_device(Device.objects.get(key="climate-1"))
    again, _ = register(tenant, members(1), first)
    assert again["climate-1"]["secret"] != first["climate-1"]["secret"]
    assert again["climate-1"]["history"] is False


def test_a_secret_that_a_person_rotated_stays_theirs(tenant: Tenant) -> None:
    first, _ = register(tenant, members(1), {})
    theirs = rotate_secret(Device.objects.get(key="climate-1"))
    register(tenant, members(1), first)
    assert verify_secret("climate-1", theirs)


def test_somebodys_own_device_is_left_alone(tenant: Tenant, other_tenant: Tenant) -> None:
    make_device(tenant, key="meter-1", name="Mine")
    make_device(other_tenant, key="climate-1", labels={"simulated": "yes"})
    fleet, taken = register(tenant, members(3), {"climate-1": {"secret": "stolen"}})
    assert taken == ["climate-1", "meter-1"]
    assert set(fleet) == {"tracker-1"}
    assert Device.objects.get(key="meter-1").name == "Mine"


def test_somebodys_own_product_is_used_as_it_is(tenant: Tenant) -> None:
    register(tenant, [Member("climate", 1)], {})
    Product.objects.filter(key="room-climate").update(name="Ours")
    register(tenant, [Member("climate", 2)], {})
    assert Product.objects.get(key="room-climate").name == "Ours"


def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "home" / "fleet.json"
    write(path, {"a": {"secret": "s"}})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    write(path, {"b": {"secret": "t"}})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read(path) == {"b": {"secret": "t"}}
    assert [entry.name for entry in path.parent.iterdir()] == ["fleet.json"]


@pytest.mark.parametrize("content", [None, "", "{", "[]", "\x00"])
def test_a_damaged_file_is_an_empty_one(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "fleet.json"
    if content is not None:
        path.write_text(content)
    assert read(path) == {}
