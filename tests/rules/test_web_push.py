"""Web push against a push service on loopback that checks and decrypts what it gets: who is told, and what becomes of it."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple
from unittest import mock

import http_ece
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import Settings

from iotpanel.tenants.configuration import applying, document
from iotpanel.tenants.configuration.plan import export
from iotpanel.tenants.models import Membership, Role, Tenant, User
from rules.channels.trying import send_test
from rules.delivery import old, run
from rules.models import Alarm, Browser, Channel, Delivery, OutboxItem, Target
from rules.outside.errors import Gone
from rules.push import sending, vapid
from rules.push.browsers import replace, subscribe
from rules.rotations import create_rotation
from tests.make import make_device, make_member
from tests.rules.fakes import make_channel
from tests.rules.outside.web import Web
from tests.rules.test_channels import firing, later, notify

SECRET = b"0123456789abcdef"
EVERYBODY = {"roles": [str(role) for role in Role]}


class Phone(NamedTuple):
    """A browser with its private key, and what its push service was handed."""

    web: Web
    key: ec.EllipticCurvePrivateKey
    path: str

    def told(self) -> list[dict[str, Any]]:
        bodies = [asked.body for asked in self.web.asked if asked.path == self.path]
        return [orjson.loads(http_ece.decrypt(body, private_key=self.key, auth_secret=SECRET, version="aes128gcm")) for body in bodies]


@pytest.fixture
def web(settings: Settings) -> Iterator[Web]:
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.VAPID_KEY = "a secret of this installation, made once"
    with Web.running() as running:
        running.answer = lambda asked: (201, b"", {})
        yield running


def phone(person: User, web: Web, name: str = "", old: str = "") -> Phone:
    """A browser of a person; with `old`, one that takes the place of another's path."""
    key, path = ec.generate_private_key(ec.SECP256R1()), f"/push/{name or person.username}"
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    texts = {"p256dh": base64.urlsafe_b64encode(point).decode(), "auth": base64.urlsafe_b64encode(SECRET).decode()}
    texts |= {"endpoint": f"{web.url}{path}", "agent": "Firefox/130.0 (Linux)"}
    if old:
        replace(person, old=f"{web.url}{old}", **texts)
    else:
        subscribe(person, **texts)
    return Phone(web, key, path)


def channel_of(tenant: Tenant, **settings: Any) -> Channel:
    return make_channel(tenant, kind="web_push", settings=settings or EVERYBODY, group_wait=0, group_interval=0)


def test_every_browser_of_the_people_is_told(tenant: Tenant, owner: User, viewer: User, stranger: User, web: Web) -> None:
    User.objects.filter(pk=viewer.pk).update(language="zh-hans")
    viewer.refresh_from_db()
    desk, pocket, theirs, foreign = phone(owner, web, "desk"), phone(owner, web, "pocket"), phone(viewer, web), phone(stranger, web)
    device = make_device(tenant, key="room-1", name="Room <1>")
    alarm = Alarm.objects.create(
        tenant=tenant, device=device, rule_id=5, rule_name="Too warm", severity="critical", message="Warm", raised_at=timezone.now()
    )
    notify(channel_of(tenant), firing(tenant))
    run.deliver()

    (said,) = desk.told()
    assert said["title"] == "[CRITICAL] Warm"
    assert said["body"].startswith("critical\nToo warm, Room <1> (room-1)")
    assert (said["severity"], said["url"]) == ("critical", f"/alarms/{alarm.pk}/?tenant={tenant.key}")
    assert [each["body"] for each in pocket.told()] == [said["body"]]
    (chinese,) = theirs.told()
    assert (chinese["lang"], chinese["body"].split("\n")[0]) == ("zh-hans", "紧急")
    assert foreign.told() == []
    assert OutboxItem.objects.filter(kind="push").count() == 0


def test_the_push_service_gets_what_it_asks_for_and_reads_nothing(tenant: Tenant, owner: User, web: Web) -> None:
    phone(owner, web)
    channel = channel_of(tenant)
    notify(channel, firing(tenant))
    run.deliver()

    (asked,) = web.asked
    assert asked.headers["authorization"].endswith(f"k={vapid.public_key()}")
    assert asked.headers["content-encoding"] == "aes128gcm"
    assert (asked.headers["ttl"], asked.headers["urgency"], len(asked.headers["topic"])) == ("86400", "normal", 24)
    assert b"room-1" not in asked.body
    promised, delivered = Delivery.objects.order_by("pk")
    assert (promised.kind, promised.target, promised.answer) == ("channel", channel.pk, "Handed on for 1 browser.")
    assert (delivered.kind, delivered.target, delivered.ok) == ("channel", channel.pk, True)
    assert delivered.answer == "olga, Firefox · Linux: 201 Created"
    assert "Too warm" in delivered.sent
    assert Browser.objects.get().used_at is not None


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_removed_and_costs_the_others_nothing(status: int, tenant: Tenant, owner: User, web: Web) -> None:
    phone(owner, web, "old")
    here = phone(owner, web, "here")
    web.answer = lambda asked: (status if asked.path == "/push/old" else 201, b"unsubscribed", {})
    notify(channel_of(tenant), firing(tenant))
    run.deliver()

    assert len(here.told()) == 1
    assert [each.endpoint for each in Browser.objects.all()] == [f"{web.url}/push/here"]
    assert Delivery.objects.filter(kind="channel", ok=False, answer__contains=f": {status}").exists()
    assert not OutboxItem.objects.filter(kind="push").exists()
    assert Target.objects.filter(kind="push").count() == 1


def test_a_push_service_is_left_alone_for_as_long_as_it_asks(tenant: Tenant, owner: User, viewer: User, web: Web) -> None:
    busy, free = phone(owner, web), phone(viewer, web)
    channel = channel_of(tenant)
    notify(channel, firing(tenant))
    run.deliver()
    web.asked.clear()  # their connections are open now
    web.answer = lambda asked: (429, b"slow down", {"Retry-After": "600"}) if asked.path == busy.path else (201, b"", {})
    notify(channel, firing(tenant))
    run.deliver()

    target = Target.objects.get(kind="push", failures=1)
    assert target.paused_until is not None
    assert target.paused_until > timezone.now() + timedelta(seconds=500)
    assert "429" in target.last_error
    assert len(free.told()) == 1
    web.answer = lambda asked: (201, b"", {})
    later()
    run.deliver()
    assert len(busy.told()) == 2  # refused, and taken
    assert len(free.told()) == 1


def test_a_fault_of_the_push_service_is_waited_for_and_said_once(tenant: Tenant, owner: User, web: Web) -> None:
    phone(owner, web)
    web.answer = lambda asked: (500, b"oh no", {})
    notify(channel_of(tenant), firing(tenant))
    for _ in range(3):
        run.deliver()
        later()
    assert OutboxItem.objects.get(kind="push").state == "waiting"
    assert Delivery.objects.filter(kind="channel", ok=False).count() == 1
    web.answer = lambda asked: (201, b"", {})
    run.deliver()
    assert Delivery.objects.filter(kind="channel", ok=True, answer__contains="201").count() == 1


def test_a_message_that_is_refused_for_what_it_says_is_given_up(tenant: Tenant, owner: User, web: Web) -> None:
    phone(owner, web)
    web.answer = lambda asked: (413, b"too large", {})
    notify(channel_of(tenant), firing(tenant))
    for _ in range(6):
        run.deliver()
        later()
    item = OutboxItem.objects.get(kind="push")
    assert (item.state, "too large" in item.last_error) == ("dead", True)


@pytest.mark.parametrize("how", ["left", "locked out", "deleted", "channel deleted"])
def test_who_has_left_meanwhile_is_told_nothing(how: str, tenant: Tenant, owner: User, web: Web) -> None:
    person = make_member(tenant, Role.OPERATOR)
    theirs = phone(person, web)
    web.answer = lambda asked: (503, b"", {})
    channel = channel_of(tenant)
    notify(channel, firing(tenant))
    run.deliver()
    web.asked.clear()
    web.answer = lambda asked: (201, b"", {})
    {
        "left": lambda: Membership.objects.filter(user=person).delete(),
        "locked out": lambda: User.objects.filter(pk=person.pk).update(is_active=False),
        "deleted": lambda: person.delete(),
        "channel deleted": lambda: channel.delete(),
    }[how]()
    later()
    run.deliver()

    assert theirs.told() == []
    assert not OutboxItem.objects.filter(kind="push", state="waiting").exists()
    assert Browser.objects.exists() == (how != "deleted")


def test_what_waits_is_told_at_the_new_subscription(tenant: Tenant, owner: User, web: Web) -> None:
    before = phone(owner, web, "before")
    web.answer = lambda asked: (503, b"", {})
    notify(channel_of(tenant), firing(tenant))
    run.deliver()
    assert (len(before.told()), Target.objects.get(kind="push").failures) == (1, 1)
    web.answer = lambda asked: (201, b"", {})
    after = phone(owner, web, "after", old=before.path)
    run.deliver()  # at once: it was the old one that was down
    assert (len(before.told()), len(after.told()), Browser.objects.count()) == (1, 1, 1)
    assert not OutboxItem.objects.filter(kind="push").exists()


def test_the_old_subscriptions_end_is_not_that_of_the_new(tenant: Tenant, owner: User, web: Web) -> None:
    """The push service says that the old one is gone while the new one takes its place."""
    before = phone(owner, web, "before")
    after: list[Phone] = []

    def push(*args: Any) -> str:
        if not after:
            after.append(phone(owner, web, "after", old=before.path))
            raise Gone("410 Gone")
        return sending.push(*args)

    notify(channel_of(tenant), firing(tenant))
    with mock.patch("rules.carriers.push.push", push):
        run.deliver()
        later()
        run.deliver()
    assert [len(each.told()) for each in (before, *after)] == [0, 1]
    assert Browser.objects.get().endpoint.endswith("/push/after")


def test_of_two_that_become_one_nothing_is_left_of_the_other(tenant: Tenant, owner: User, web: Web) -> None:
    first, second = phone(owner, web, "first"), phone(owner, web, "second")
    here = phone(owner, web, "second", old=first.path)
    notify(channel_of(tenant), firing(tenant))
    run.deliver()
    assert (len(here.told()), Browser.objects.count(), Target.objects.filter(kind="push").count()) == (1, 1, 1)
    assert second.path == here.path


def test_nothing_is_left_of_browsers_that_went_with_their_person(tenant: Tenant, owner: User, viewer: User, web: Web) -> None:
    for person in (owner, viewer):
        phone(person, web)
    notify(channel_of(tenant), firing(tenant))
    run.deliver()
    viewer.delete()
    old.drop()
    assert [each.target for each in Target.objects.filter(kind="push")] == [Browser.objects.get().pk]


def test_recipients_are_roles_names_and_who_is_on_call(tenant: Tenant, owner: User, viewer: User, web: Web) -> None:
    admin = make_member(tenant, Role.ADMIN, username="ada")
    phones = {person.username: phone(person, web) for person in (owner, viewer, admin)}
    create_rotation(tenant, key="night", name="Night", people=["ada"], starts_at=timezone.now())
    for settings in (
        {"roles": ["viewer"]},
        {"people": ["olga"]},
        {"rotation": "night"},
        {"roles": ["viewer"], "people": [viewer.username]},
    ):
        notify(channel_of(tenant, **settings), firing(tenant))
    run.deliver()

    assert {name: len(each.told()) for name, each in phones.items()} == {"olga": 1, viewer.username: 2, "ada": 1}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "settings"),
        ({"roles": []}, "settings.roles"),
        ({"roles": ["root"]}, "settings.roles.0"),
        ({"people": ["stan"]}, "settings.people"),
        ({"people": ["nobody\0"]}, "settings"),
        ({"rotation": "home-rota"}, "settings.rotation"),
        ({"url": "https://example.org"}, "settings"),
    ],
)
def test_whom_a_channel_cannot_mean_is_refused_at_save(given: Any, field: str, tenant: Tenant, stranger: User) -> None:
    User.objects.filter(pk=stranger.pk).update(username="stan")
    with pytest.raises(ValidationError) as error:
        make_channel(tenant, kind="web_push", settings=given)
    assert field in error.value.message_dict


def test_a_message_that_reaches_nobody_is_no_success(tenant: Tenant, owner: User, web: Web) -> None:
    channel = channel_of(tenant)
    notify(channel, firing(tenant), firing(tenant, change="cleared"))
    run.deliver()
    assert not Delivery.objects.filter(ok=True).exists()
    assert "asked to be told" in Target.objects.get(kind="channel").last_error

    here = phone(owner, web)
    later()
    run.deliver()
    (said,) = here.told()
    assert said["title"].startswith("2 messages: Too warm")
    assert said["url"] == f"/alarms/?tenant={tenant.key}"


def test_without_a_key_it_waits_and_says_what_to_set(tenant: Tenant, owner: User, web: Web, settings: Settings) -> None:
    here = phone(owner, web)
    settings.VAPID_KEY = ""
    notify(channel_of(tenant), firing(tenant))
    run.deliver()
    assert "IOTPANEL_VAPID_KEY" in Target.objects.get(kind="channel").last_error
    settings.VAPID_KEY = "a secret of this installation, made once"
    later()
    run.deliver()
    assert len(here.told()) == 1


def test_inner_addresses_are_not_reached(tenant: Tenant, owner: User, web: Web, settings: Settings) -> None:
    phone(owner, web)
    settings.ALLOWED_NETWORKS = []
    tried = send_test(channel_of(tenant))
    assert not tried.ok
    assert "IOTPANEL_ALLOWED_NETWORKS" in tried.answer
    assert web.asked == []


def test_a_redirect_leads_nowhere(tenant: Tenant, owner: User, web: Web) -> None:
    phone(owner, web)
    web.answer = lambda asked: (307, b"", {"Location": f"{web.url}/elsewhere"})
    assert "redirect" in send_test(channel_of(tenant)).answer
    assert len(web.asked) == 1


def test_the_test_message_shows_what_each_push_service_answers(tenant: Tenant, owner: User, viewer: User, web: Web) -> None:
    phone(owner, web, "gone")
    theirs = phone(viewer, web)
    web.answer = lambda asked: (410, b"expired", {}) if asked.path == "/push/gone" else (201, b"", {})
    tried = send_test(channel_of(tenant))

    assert tried.ok
    assert "olga, Firefox · Linux: 410 Gone expired" in tried.answer
    assert f"{viewer.username}, Firefox · Linux: 201 Created" in tried.answer
    assert theirs.told()[0]["url"] == f"/alarms/?tenant={tenant.key}"  # there is no test-device
    assert Browser.objects.count() == 1


def test_whatever_is_said_fits(tenant: Tenant, owner: User, web: Web) -> None:
    here = phone(owner, web)
    hostile = firing(tenant, rule_name="温" * 200, values={"text": "\x01" * 400})
    notify(channel_of(tenant), hostile, title="{{ rule.name }}", text="{{ values.text }}")
    run.deliver()
    (said,) = here.told()
    assert len(said["title"]) == 150
    assert said["body"] == "\x01" * 400


def test_it_is_configuration_too(tenant: Tenant, other_tenant: Tenant, owner: User) -> None:
    """Roles are the same everywhere; people are not."""
    make_channel(tenant, kind="web_push", name="Night", settings={"roles": ["operator"]})
    applying.apply(other_tenant, document.read(document.write(export(tenant))))
    assert Channel.objects.for_tenant(other_tenant).get().settings == {"roles": ["operator"]}

    make_channel(tenant, kind="web_push", name="Olga", settings={"people": ["olga"]})
    with pytest.raises(applying.NotApplied) as caught:
        applying.apply(other_tenant, document.read(document.write(export(tenant))))
    assert "settings.people" in caught.value.plan.text()
