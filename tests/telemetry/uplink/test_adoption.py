"""Children that a gateway spoke for: adopted by one click, moved with their history."""

import pytest
from django.test import Client

from devices.models import Device, Product
from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import Role, Tenant, User
from telemetry.models import DeadLetterRecord
from telemetry.uplink.adoption import adopt
from tests.make import make_device, make_member, make_product
from tests.rest import Rest, refused

from .talk import reasons, say, stored


@pytest.fixture
def meter(tenant: Tenant) -> Product:
    return make_product(tenant, key="meter")


@pytest.fixture
def gateway(tenant: Tenant, meter: Product) -> Device:
    return make_device(product=make_product(tenant, key="gate", child_product=meter), key="gate-1")


def letter() -> DeadLetterRecord:
    found: DeadLetterRecord | None = DeadLetterRecord.objects.order_by("pk").first()
    assert found is not None
    return found


def test_an_unknown_child_is_made_and_all_it_said_is_stored(gateway: Device, meter: Product) -> None:
    say(gateway, "gateway/telemetry", {"new-1": {"n": 1}, "new-2": {"n": 9}})
    say(gateway, "gateway/telemetry", {"new-1": {"n": 2}})
    say(gateway, "gateway/attributes", {"new-1": {"serial": "x"}})
    assert reasons() == ["unknown_child"] * 4

    adopted = adopt(letter())
    child = Device.objects.get(key="new-1")
    assert (adopted.device, *adopted.done) == (child, 3, 0, 0, None)
    assert (child.parent, child.product, child.credentials.count()) == (gateway, meter, 0)
    assert stored(child) == [{"n": 1}, {"n": 2}]
    assert not Device.objects.filter(key="new-2").exists()


def test_a_device_of_another_gateway_is_moved_and_keeps_its_history(gateway: Device, tenant: Tenant) -> None:
    old = make_device(product=gateway.product)
    child = make_device(tenant, key="child", parent=old)
    say(old, "gateway/telemetry", {"child": {"n": 1}})
    say(gateway, "gateway/telemetry", {"child": {"n": 2}})
    assert reasons() == ["wrong_device"]

    assert adopt(letter()).done.replayed == 1
    child.refresh_from_db()
    assert child.parent == gateway
    assert stored(child) == [{"n": 1}, {"n": 2}]


def test_a_child_below_a_child_is_adopted_by_who_spoke(gateway: Device, meter: Product) -> None:
    inner = make_device(product=meter, parent=gateway, key="inner")
    say(gateway, "gateway/telemetry", {"leaf": {"n": 1}})
    leaf = adopt(letter()).device
    leaf.parent = inner
    leaf.save()

    assert say(gateway, "gateway/telemetry", {"leaf": {"n": 2}}).stored == 1


def test_somebody_elses_device_is_never_taken(gateway: Device) -> None:
    theirs = make_device(key="theirs")
    say(gateway, "gateway/telemetry", {"theirs": {"n": 1}})

    with pytest.raises(Conflict, match="key"):
        adopt(letter())
    theirs.refresh_from_db()
    assert theirs.parent is None


def test_without_a_product_somebody_has_to_choose(tenant: Tenant, meter: Product) -> None:
    gateway = make_device(tenant, key="bare")
    say(gateway, "gateway/telemetry", {"new": {"n": 1}})

    with pytest.raises(Conflict, match="product"):
        adopt(letter())
    assert adopt(letter(), product=meter).done.replayed == 1


def test_what_is_no_child_cannot_be_adopted(gateway: Device) -> None:
    say(gateway, "telemetry", b"{")

    with pytest.raises(Conflict, match="not about a child"):
        adopt(letter())


def test_by_rest_for_who_may_make_devices(gateway: Device, owner: User, tenant: Tenant, stranger: User) -> None:
    say(gateway, "gateway/telemetry", {"new": {"n": 1}})
    path = f"dead-letters/{letter().pk}/adopt/"

    assert Rest(stranger).post(path).status_code == 404
    refused(Rest(make_member(tenant, Role.OPERATOR)).post(path), 403, "permission_denied")
    assert Rest(owner).post(path).json() == {"device": "new", "replayed": 1, "failed": 0}
    refused(Rest(owner).post(path), 409, "not_adoptable")


def test_by_one_click_on_the_page(client: Client, gateway: Device, owner: User, viewer: User, stranger: User) -> None:
    say(gateway, "gateway/telemetry", {"new": {"n": 1}})
    path = f"/dead-letters/{letter().pk}/"
    client.force_login(viewer)
    assert "Adopt" not in client.get(path).content.decode()
    assert client.post(path + "adopt/").status_code == 403
    client.force_login(stranger)
    assert client.post(path + "adopt/").status_code == 404

    client.force_login(owner)
    assert "Adopt and replay" in client.get(path).content.decode()
    assert client.post(path + "adopt/", {"product": "meter"}).headers["Location"] == "/devices/new/"
    assert stored(Device.objects.get(key="new")) == [{"n": 1}]
