"""What people do on the device page: set attributes, replay, rotate, send; and who may."""

import pytest
from django.test import Client

from devices import provisioning
from devices.models import Device
from iotpanel.tenants.models import Role, Tenant, User
from telemetry import attributes, latest
from telemetry.models import DeadLetterRecord
from telemetry.uplink.memory import memory
from tests import make

from .device_data import make_cold_room, report, say

ACTS = {
    "parts/attributes/": Role.OPERATOR,
    "parts/replay/": Role.OPERATOR,
    "connect/send/": Role.OPERATOR,
    "connect/rotate/": Role.ADMIN,
    "connect/test-device/": Role.ADMIN,
}


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_cold_room(tenant)


@pytest.fixture
def operator(tenant: Tenant) -> User:
    return make.make_member(tenant, Role.OPERATOR)


@pytest.fixture
def signed_in(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.mark.parametrize(("act", "needed"), ACTS.items())
def test_each_act_needs_its_role(client: Client, tenant: Tenant, stranger: User, device: Device, act: str, needed: Role) -> None:
    for role in Role:
        client.force_login(make.make_member(tenant, role))
        allowed = client.post(f"/devices/{device.key}/{act}").status_code != 403
        assert allowed is role.allows(needed)
    client.force_login(stranger)
    assert client.post(f"/devices/{device.key}/{act}").status_code == 404


def test_a_viewer_sees_no_button(client: Client, viewer: User, owner: User, device: Device) -> None:
    say(device, "telemetry", b"{")
    buttons = {"dead-letters/": "Replay", "attributes/": "Set an attribute", "connect/": "Rotate secret"}
    for tab, words in buttons.items():
        client.force_login(viewer)
        assert words not in client.get(f"/devices/{device.key}/{tab}").content.decode()
        client.force_login(owner)
        assert words in client.get(f"/devices/{device.key}/{tab}").content.decode()
    client.force_login(viewer)
    assert "Send a message as" not in client.get(f"/devices/{device.key}/connect/").content.decode()


@pytest.mark.parametrize(
    ("typed", "value"), [("21.5", 21.5), ("true", True), ('{"a": [1]}', {"a": [1]}), ("plain words", "plain words"), ('"7"', "7"), ("", "")]
)
@pytest.mark.parametrize("scope", ["server", "shared"])
def test_attributes_are_set_as_typed(signed_in: Client, device: Device, scope: str, typed: str, value: object) -> None:
    answer = signed_in.post(f"/devices/{device.key}/parts/attributes/", {"scope": scope, "key": "limit", "value": typed})
    assert answer.status_code == 200
    assert attributes.read(device.pk)[scope]["limit"][0] == value


def test_an_attribute_is_removed(signed_in: Client, device: Device) -> None:
    for sent in ({"value": "5"}, {"remove": "1"}):
        signed_in.post(f"/devices/{device.key}/parts/attributes/", {"scope": "server", "key": "limit", **sent})
    assert attributes.read(device.pk)["server"] == {}


@pytest.mark.parametrize(
    "sent",
    [
        {"scope": "reported", "key": "a", "value": "1"},
        {"scope": "nonsense", "key": "a", "value": "1"},
        {"scope": "server", "key": "", "value": "1"},
        {"scope": "server", "key": "a\0b", "value": "1"},
        {"scope": "server", "key": "x" * 65, "value": "1"},
        {"scope": "server", "key": "a", "value": '"\\u0000"'},
        {"scope": "server", "key": "a", "value": "a\0b"},
        {"scope": "server", "key": "a", "value": "null"},
        {"scope": "server", "key": "a", "value": "9" * 17_000},
        {"scope": "server", "key": "a", "value": "1e999"},
    ],
)
def test_what_cannot_be_an_attribute_says_why_and_changes_nothing(signed_in: Client, device: Device, sent: dict[str, str]) -> None:
    answer = signed_in.post(f"/devices/{device.key}/parts/attributes/", sent)
    if sent["value"] == "1e999":  # no JSON number, so a text
        assert attributes.read(device.pk)["server"]["a"][0] == "1e999"
        return
    assert answer.status_code == 422
    assert answer.context["problem"]
    assert not any(attributes.read(device.pk).values())


def test_letters_are_replayed_after_a_fix(signed_in: Client, device: Device) -> None:
    report(device, {"temperature": 99})
    report(device, {"temperature": 98})
    say(device, "telemetry", b"{")
    device.product.thing_model["properties"][0]["max"] = 200
    device.product.save()
    memory().directory.forget()  # a committed change says so itself
    letter = DeadLetterRecord.objects.get(reason="not_json")
    answer = signed_in.post(f"/devices/{device.key}/parts/replay/", {"letter": letter.pk})
    assert answer.context["result"] == {"replayed": 0, "failed": 1}
    answer = signed_in.post(f"/devices/{device.key}/parts/replay/", {"all": "1"})
    assert answer.context["result"] == {"replayed": 2, "failed": 1}
    assert [each.reason for each in answer.context["letters"]] == ["not_json"]
    assert latest.read([device.pk])[device.pk]["temperature"][0] == 98


@pytest.mark.parametrize("letter", ["", "x", "-1", "99999999999999999999999", "²"])
def test_a_letter_that_is_not_there_is_404(signed_in: Client, device: Device, letter: str) -> None:
    assert signed_in.post(f"/devices/{device.key}/parts/replay/", {"letter": letter}).status_code == 404


def test_another_devices_letter_stays_alone(signed_in: Client, tenant: Tenant, device: Device) -> None:
    other = make_cold_room(tenant, product=device.product)
    say(other, "telemetry", b"{")
    letter = DeadLetterRecord.objects.get()
    assert signed_in.post(f"/devices/{device.key}/parts/replay/", {"letter": letter.pk}).status_code == 404
    answer = signed_in.post(f"/devices/{device.key}/parts/replay/", {"all": "1"})
    assert answer.context["result"] == {"replayed": 0, "failed": 0}
    letter.refresh_from_db()
    assert letter.replayed_at is None


def test_rotating_shows_the_secret_once(client: Client, owner: User, tenant: Tenant) -> None:
    device, old = make.make_device_with_secret(tenant)
    client.force_login(owner)
    answer = client.post(f"/devices/{device.key}/connect/rotate/")
    secret = answer.context["secret"]
    assert answer.content.decode().count(secret) >= 5  # beside its name, and in each program
    assert "no-store" in answer["Cache-Control"]
    assert provisioning.verify_secret(device.key, secret) == device
    assert provisioning.verify_secret(device.key, old) is None
    assert secret not in client.get(f"/devices/{device.key}/connect/").content.decode()


def test_a_test_device_leaves_the_real_one_alone(client: Client, owner: User, tenant: Tenant) -> None:
    device, secret = make.make_device_with_secret(tenant, key="pump-1", name="Pump")
    client.force_login(owner)
    answer = client.post("/devices/pump-1/connect/test-device/")
    made = Device.objects.get(key="pump-1-test")
    assert (made.tenant, made.product, made.name) == (tenant, device.product, "Pump (test)")
    assert provisioning.verify_secret("pump-1-test", answer.context["secret"]) == made
    assert provisioning.verify_secret("pump-1", secret) == device
    assert "pump-1-test" in answer.context["snippets"][0].text
    again = client.post("/devices/pump-1/connect/test-device/")
    assert again.status_code == 409
    assert "/devices/pump-1-test/connect/" in again.content.decode()


def test_a_taken_key_of_another_tenant_tells_nothing(client: Client, owner: User, tenant: Tenant, other_tenant: Tenant) -> None:
    make.make_device(other_tenant, key="pump-1-test", name="Their secret name")
    make.make_device(tenant, key="pump-1")
    client.force_login(owner)
    answer = client.post("/devices/pump-1/connect/test-device/")
    assert answer.status_code == 409
    assert "Their secret name" not in answer.content.decode()
    assert "/devices/pump-1-test/connect/" not in answer.content.decode()


def test_a_test_device_of_the_longest_key_fits(client: Client, owner: User, tenant: Tenant) -> None:
    make.make_device(tenant, key="k" * 64)
    client.force_login(owner)
    assert client.post(f"/devices/{'k' * 64}/connect/test-device/").status_code == 200
    assert Device.objects.filter(key="k" * 59 + "-test").exists()
