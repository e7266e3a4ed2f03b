"""Channels and notices by REST: their life, what is refused, what is never shown."""

from typing import Any

import pytest

from iotpanel.tenants.models import Tenant, User
from rules.models import Channel, Notice
from tests.rest import Rest, refused, results
from tests.rules.fakes import make_channel

HOOK = "https://hooks.example.org/services/T0/B0/very-secret"
SLACK: dict[str, Any] = {"name": "Team", "kind": "slack", "settings": {"url": HOOK}}


def test_a_channels_life(owner: User) -> None:
    api = Rest(owner)
    created = api.post("channels/", SLACK)
    assert created.status_code == 201, created.content
    shown = created.json()
    assert (shown["settings"], shown["secrets"], shown["group_wait"], shown["group_interval"]) == ({}, ["url"], 2, 60)
    address = f"channels/{shown['id']}/"
    assert api.patch(address, {"title": "{{ rule.name }}"}).json()["secrets"] == ["url"]
    assert "very-secret" not in api.get(address).content.decode() + api.get("channels/").content.decode()
    assert b"very-secret" not in bytes(Channel.objects.get().sealed)
    assert api.get(f"{address}deliveries/").json() == []
    assert api.delete(address).status_code == 204


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "smoke-signals"}, "kind"),
        ({"settings": {}}, "settings.url"),
        ({"settings": {"url": "ftp://x"}}, "settings.url"),
        ({"settings": {"url": "https://somebody@10.0.0.1/services"}}, "settings.url"),
        ({"kind": "telegram", "settings": {"token": f"1:{'a' * 30}", "chat": "1", "url": "http://[fd00::1]"}}, "settings.url"),
        ({"title": "{{ password }}"}, "title"),
        ({"text": "{{ device.name | shout }}"}, "text"),
        ({"group_wait": -1}, "group_wait"),
        ({"group_interval": "soon"}, "group_interval"),
        ({"kind": "email", "settings": {"to": ["not an address"]}}, "settings.to.0"),
        ({"kind": "email", "settings": {"to": []}}, "settings.to"),
        ({"kind": "telegram", "settings": {"token": "x", "chat": "1"}}, "settings.token"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_saved(owner: User, change: dict[str, Any], field: str) -> None:
    assert set(refused(Rest(owner).post("channels/", SLACK | change), 400, "invalid")) == {field}
    assert not Channel.objects.exists()


def test_each_kind_shows_its_schema(viewer: User) -> None:
    kinds = {row["kind"]: row for row in Rest(viewer).get("channels/kinds/").json()}
    assert set(kinds) == {"inpage", "email", "webhook", "slack", "teams", "telegram", "dingtalk", "wecom", "feishu", "web_push"}


def test_a_test_message_on_the_pages_is_a_notice(owner: User, viewer: User, tenant: Tenant) -> None:
    channel = make_channel(tenant)
    assert Rest(owner).post(f"channels/{channel.pk}/test/").json()["ok"] is True
    (notice,) = results(Rest(viewer).get("notices/"))
    assert (notice["title"], notice["read_at"]) == ("[INFO] Test message", None)
    refused(Rest(viewer).post("notices/read/"), 403, "permission_denied")
    assert Rest(owner).post("notices/read/").json() == {"read": 1}
    assert Notice.objects.get().read_at is not None


def test_a_viewer_reads_and_a_stranger_sees_nothing(viewer: User, stranger: User, tenant: Tenant) -> None:
    channel = make_channel(tenant)
    assert len(results(Rest(viewer).get("channels/"))) == 1
    refused(Rest(viewer).post(f"channels/{channel.pk}/test/"), 403, "permission_denied")
    assert results(Rest(stranger).get("channels/")) == []
    refused(Rest(stranger).get(f"channels/{channel.pk}/"), 404, "not_found")
    assert results(Rest(stranger).get("notices/")) == []
