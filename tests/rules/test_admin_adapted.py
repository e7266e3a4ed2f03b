"""Forwarders, channels and the outbox in the admin: forms by the verbs, secrets that never come back, the button for a test message."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from iotpanel.tenants.models import Tenant, User
from rules.models import Channel, Delivery, Forwarder, Notice, OutboxItem
from tests.admin_client import Admin, errors_of
from tests.rules.fakes import make_channel, make_forwarder, say
from tests.rules.outside.web import Web

SECRET = "a-very-secret-token"


@pytest.fixture
def web(settings: Settings) -> Iterator[Web]:
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Web.running() as running:
        yield running


def values(tenant: Tenant, url: str, **overrides: Any) -> dict[str, Any]:
    plain = {"tenant": tenant.pk, "name": "Hook", "kind": "http", "enabled": "on", "stream": "readings", "scope": "{}", "template": ""}
    return plain | {"settings": json.dumps({"url": url, "token": SECRET})} | overrides


def test_a_forwarder_is_made_tried_and_changed(owner: User, tenant: Tenant, web: Web) -> None:
    admin = Admin(owner)
    assert admin.add(Forwarder, **values(tenant, web.url)).status_code == 302
    forwarder = Forwarder.objects.get()
    page = admin.open(forwarder).content.decode()
    assert SECRET not in page
    assert "token" in page
    assert admin.press(forwarder, "test").status_code == 302
    assert web.asked[0].headers["authorization"] == f"Bearer {SECRET}"
    assert Delivery.objects.get().ok
    sent = values(tenant, web.url, name="Other", settings=json.dumps({"url": web.url}))
    assert admin.change(forwarder, **sent).status_code == 302
    forwarder.refresh_from_db()
    assert (forwarder.name, bool(forwarder.sealed)) == ("Other", True)
    assert admin.list(Forwarder).status_code == 200
    assert admin.delete(forwarder).status_code == 302


def test_what_is_wrong_is_said_at_its_field(owner: User, tenant: Tenant) -> None:
    admin = Admin(owner)
    wrong = errors_of(admin.add(Forwarder, **values(tenant, "ftp://x", template="{{ nobody }}")))
    assert set(wrong) == {"settings"}
    assert wrong["settings"][0].startswith("url: ")
    assert set(errors_of(admin.add(Forwarder, **values(tenant, "https://x.example", template="{{ nobody }}")))) == {"template"}
    assert set(errors_of(admin.add(Forwarder, **values(tenant, "https://x.example", settings="{")))) == {"settings"}
    inner = errors_of(admin.add(Forwarder, **values(tenant, "http://10.0.0.7:8086/")))
    assert inner["settings"][0].startswith("url: 10.0.0.7 is at 10.0.0.7, which is no public address.")
    make_forwarder(tenant, name="Hook")
    assert set(errors_of(admin.add(Forwarder, **values(tenant, "https://x.example")))) == {"name"}


def test_a_channel_is_made_and_tried(owner: User, tenant: Tenant) -> None:
    admin = Admin(owner)
    sent = {
        "tenant": tenant.pk,
        "name": "Here",
        "kind": "inpage",
        "enabled": "on",
        "settings": "{}",
        "group_wait": "0",
        "group_interval": "0",
    }
    assert admin.add(Channel, **sent, title="", text="").status_code == 302
    channel = Channel.objects.get()
    assert admin.open(channel).status_code == 200
    assert admin.press(channel, "test").status_code == 302
    assert Notice.objects.count() == 1


def test_a_question_comes_before_the_test_message(owner: User, tenant: Tenant) -> None:
    channel = make_channel(tenant)
    admin = Admin(owner)
    address = admin.address(channel, "change", channel.pk).removesuffix("change/") + "test/"
    assert admin.client.get(address).status_code == 200
    assert not Notice.objects.exists()


def test_what_was_given_up_is_put_back(owner: User, tenant: Tenant) -> None:
    say(tenant, 1)
    OutboxItem.objects.update(state="dead")
    admin = Admin(owner)
    assert admin.list(OutboxItem).status_code == 200
    assert admin.act(OutboxItem, "put_back", OutboxItem.objects.get()).status_code == 302
    assert OutboxItem.objects.get().state == "waiting"
    assert admin.open(OutboxItem.objects.get()).status_code == 200
    assert admin.list(Delivery).status_code == 200


def test_a_viewer_only_looks_and_a_stranger_sees_nothing(viewer: User, stranger: User, tenant: Tenant) -> None:
    forwarder, channel = make_forwarder(tenant, name="ours"), make_channel(tenant)
    assert Admin(viewer).open(forwarder).status_code == 200
    for thing in (forwarder, channel):
        assert Admin(viewer).press(thing, "test").status_code in (302, 403, 404)
        assert Admin(stranger).press(thing, "test").status_code in (302, 403, 404)
        assert Admin(stranger).open(thing).status_code == 404
    assert not Delivery.objects.exists()
    assert b"ours" not in Admin(stranger).list(Forwarder).content
