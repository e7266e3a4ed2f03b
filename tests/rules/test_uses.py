"""What rules count on is not deleted behind their back: else an alarm would reach nobody, and nobody would know."""

from datetime import UTC, datetime
from typing import Any

import pytest

from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import Role, Tenant, User
from rules.channels.records import delete_channel
from rules.forwarders.records import delete_forwarder
from rules.models import Channel, Rule
from rules.rotations import create_rotation, delete_rotation
from rules.uses import refuse_used
from tests import make
from tests.pages.people import browser, words
from tests.rest import Rest, refused
from tests.rules.fakes import make_channel, make_forwarder

START = datetime(2026, 1, 1, tzinfo=UTC)


def uses(tenant: Tenant, action: dict[str, Any], name: str = "Cold <room>") -> Rule:
    return Rule.objects.create(tenant=tenant, name=name, enabled=False, body={"actions": [{"kind": "alarm"}, action]})


def test_wherever_an_action_stands_it_counts(tenant: Tenant, other_tenant: Tenant) -> None:
    notify, call = {"kind": "notify", "channel": 7, "title": "x"}, {"kind": "alarm", "assign": "night"}
    scene = {"kind": "scene", "steps": [{"wait": "5s"}, notify, call]}
    places: list[dict[str, Any]] = [notify, call, scene]
    places += [{"kind": "alarm", "escalate": [{"after": "5m", "assign": "night", "actions": [each]}]} for each in (notify, scene)]
    for place in places:
        rule = uses(tenant, place)
        named: list[dict[str, Any]] = [] if place == call else [{"kind": "notify", "channel": 7}]
        named += [] if place == notify else [{"assign": "night"}]
        for each in named:
            with pytest.raises(Conflict, match="Cold <room>") as caught:
                refuse_used(tenant, **each)
            assert caught.value.code == "in_use"
            refuse_used(other_tenant, **each)
        refuse_used(tenant, kind="notify", channel=70)
        refuse_used(tenant, kind="forward", forwarder=7)
        rule.delete()


def test_channels_forwarders_and_rotations_in_use_stay(tenant: Tenant, owner: User, other_tenant: Tenant) -> None:
    channel, forwarder = make_channel(tenant), make_forwarder(tenant)
    rotation = create_rotation(tenant, key="night", name="Night", people=[owner.username], starts_at=START)
    uses(other_tenant, {"kind": "notify", "channel": channel.pk})  # a rule of another tenant holds nothing
    rules = [uses(tenant, {"kind": "notify", "channel": channel.pk}), uses(tenant, {"kind": "forward", "forwarder": forwarder.pk})]
    calls = make_channel(tenant, kind="web_push", settings={"rotation": "night"})
    api = Rest(owner)
    for address in (f"channels/{channel.pk}/", f"forwarders/{forwarder.pk}/", "rotations/night/"):
        refused(api.delete(address), 409, "in_use")
    for rule in rules:
        rule.delete()
    calls.delete()
    delete_channel(channel)
    delete_forwarder(forwarder)
    delete_rotation(rotation)


def test_the_page_says_who_counts_on_it(tenant: Tenant) -> None:
    channel = make_channel(tenant)
    uses(tenant, {"kind": "notify", "channel": channel.pk})
    person = browser(make.make_member(tenant, Role.ADMIN, username="anna"))
    answer = person.post(f"/channels/{channel.pk}/delete/", follow=True)

    assert "It is used by “Cold <room>”: change that first." in words(answer.content)
    assert Channel.objects.filter(pk=channel.pk).exists()
