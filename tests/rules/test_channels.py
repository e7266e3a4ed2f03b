"""Channels against fakes of the services' documented APIs: what is sent, how it is signed, what an error looks like."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import Settings

from iotpanel.tenants.models import Tenant
from rules.actions import ACTIONS
from rules.channels import CHANNELS
from rules.channels.trying import send_test
from rules.delivery import run
from rules.firing import Firing
from rules.models import Alarm, Delivery, Notice, OutboxItem, Target
from tests.make import make_device
from tests.rules.fakes import make_channel
from tests.rules.make import make_freezer, make_rule, say
from tests.rules.outside.web import Asked, Web

AT = 1_767_225_600_000_000
TOKEN = "0123456789-abcdef"
KEY = "SEC-a-signing-secret"
GOOD: dict[str, Any] = {
    "slack": (200, b"ok", {}),
    "teams": (202, b"", {}),
    "telegram": (200, b'{"ok": true, "result": {}}', {}),
    "dingtalk": (200, b'{"errcode": 0, "errmsg": "ok"}', {}),
    "wecom": (200, b'{"errcode": 0, "errmsg": "ok"}', {}),
    "feishu": (200, b'{"code": 0, "msg": "success"}', {}),
    "webhook": (204, b"", {}),
}


class Said(NamedTuple):
    path: str
    text: str


@pytest.fixture
def web(settings: Settings) -> Iterator[Web]:
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Web.running() as running:
        yield running


def settings_of(kind: str, web: Web) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {
        "slack": {"url": f"{web.url}/services/T0/B0/{TOKEN}"},
        "teams": {"url": f"{web.url}/workflows/{TOKEN}"},
        "telegram": {"url": web.url, "token": f"123:{TOKEN}", "chat": "-100123"},
        "dingtalk": {"url": web.url, "token": TOKEN, "signing_secret": KEY},
        "wecom": {"url": web.url, "key": TOKEN},
        "feishu": {"url": web.url, "token": TOKEN, "signing_secret": KEY},
        "webhook": {"url": f"{web.url}/hook", "signing_secret": KEY},
    }
    return found[kind]


def text_in(kind: str, asked: Asked) -> Said:
    """Where each service expects the address and the words."""
    body = asked.json
    texts = {
        "slack": lambda: body["text"],
        "teams": lambda: "\n".join(block["inlines"][0]["text"] for block in body["attachments"][0]["content"]["body"]),
        "telegram": lambda: body["text"],
        "dingtalk": lambda: body["text"]["content"],
        "wecom": lambda: body["text"]["content"],
        "feishu": lambda: body["content"]["text"],
        "webhook": lambda: f"{body['title']}\n{body['text']}",
    }
    return Said(asked.path.partition("?")[0], texts[kind]())


PATHS = {
    "slack": f"/services/T0/B0/{TOKEN}",
    "teams": f"/workflows/{TOKEN}",
    "telegram": f"/bot123:{TOKEN}/sendMessage",
    "dingtalk": "/robot/send",
    "wecom": "/cgi-bin/webhook/send",
    "feishu": f"/open-apis/bot/v2/hook/{TOKEN}",
    "webhook": "/hook",
}


def firing(tenant: Tenant, key: str = "room-1", change: str = "raised", **overrides: Any) -> Firing:
    return Firing(tenant.pk, 5, "Too warm", 7, key, AT, change, {"temperature": 31.5})._replace(**overrides)


def notify(channel: Any, *firings: Firing, **settings: Any) -> None:
    ACTIONS["notify"]({"channel": channel.pk, **settings}).run(firings)


def later() -> None:
    OutboxItem.objects.filter(state="waiting").update(due_at=timezone.now() - timedelta(seconds=1))
    Target.objects.update(paused_until=None)


@pytest.mark.parametrize("kind", GOOD)
def test_a_message_arrives_as_the_service_expects_it(kind: str, tenant: Tenant, web: Web) -> None:
    web.answer = lambda asked: GOOD[kind]
    make_device(tenant, key="room-1", name="Room <1>")
    channel = make_channel(tenant, kind=kind, settings=settings_of(kind, web), group_wait=0)
    notify(channel, firing(tenant))
    run.deliver()
    (asked,) = web.asked
    path, text = text_in(kind, asked)
    assert path == PATHS[kind]
    assert "Too warm: Room" in text
    assert "31.5" in text
    assert asked.headers["content-type"] == "application/json"
    history = Delivery.objects.get()
    assert (history.ok, history.messages) == (True, 1)
    assert "Too warm" in history.sent
    assert str(GOOD[kind][0]) in history.answer


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("slack", (403, b"invalid_token", {})),
        ("slack", (404, b"no_service", {})),
        ("teams", (429, b"slow down", {})),
        ("telegram", (401, b'{"ok": false, "error_code": 401, "description": "Unauthorized"}', {})),
        ("telegram", (403, b'{"ok": false, "description": "Forbidden: bot was blocked"}', {})),
        ("dingtalk", (200, b'{"errcode": 130101, "errmsg": "send too fast"}', {})),
        ("wecom", (200, b'{"errcode": 45009, "errmsg": "api freq out of limit"}', {})),
        ("feishu", (200, b'{"code": 11232, "msg": "frequency limited"}', {})),
        ("webhook", (500, b"oh no", {})),
        ("dingtalk", (200, b"<html>not an API</html>", {})),
    ],
)
def test_a_service_that_is_down_is_waited_for(kind: str, answer: Any, tenant: Tenant, web: Web) -> None:
    web.answer = lambda asked: answer
    channel = make_channel(tenant, kind=kind, settings=settings_of(kind, web), group_wait=0)
    notify(channel, firing(tenant))
    run.deliver()
    target = Target.objects.get()
    assert target.failures == 1
    assert target.last_error
    assert TOKEN not in target.last_error
    web.answer = lambda asked: GOOD[kind]
    later()
    run.deliver()
    assert OutboxItem.objects.get().state == "delivered"


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("telegram", (400, b'{"ok": false, "description": "Bad Request: chat not found"}', {})),
        ("dingtalk", (200, b'{"errcode": 310000, "errmsg": "keywords not in content"}', {})),
        ("wecom", (200, b'{"errcode": 93000, "errmsg": "invalid webhook url"}', {})),
        ("feishu", (200, b'{"code": 19021, "msg": "sign match fail"}', {})),
    ],
)
def test_a_refused_message_is_given_up_with_the_services_words(kind: str, answer: Any, tenant: Tenant, web: Web) -> None:
    web.answer = lambda asked: answer
    channel = make_channel(tenant, kind=kind, settings=settings_of(kind, web), group_wait=0)
    notify(channel, firing(tenant))
    for _ in range(6):
        run.deliver()
        later()
    item = OutboxItem.objects.get()
    assert item.state == "dead"
    assert any(word in item.last_error for word in ("chat not found", "keywords", "invalid webhook", "sign match"))
    assert not Delivery.objects.filter(ok=True).exists()


def test_dingtalk_signs_as_its_documentation_says(tenant: Tenant, web: Web) -> None:
    web.answer = lambda asked: GOOD["dingtalk"]
    send_test(make_channel(tenant, kind="dingtalk", settings=settings_of("dingtalk", web)))
    query = dict(part.split("=", 1) for part in web.asked[0].path.partition("?")[2].split("&"))
    expected = base64.b64encode(hmac.new(KEY.encode(), f"{query['timestamp']}\n{KEY}".encode(), hashlib.sha256).digest()).decode()
    assert query["sign"] == expected.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    assert query["access_token"] == TOKEN


def test_feishu_signs_as_its_documentation_says(tenant: Tenant, web: Web) -> None:
    web.answer = lambda asked: GOOD["feishu"]
    send_test(make_channel(tenant, kind="feishu", settings=settings_of("feishu", web)))
    body = web.asked[0].json
    expected = base64.b64encode(hmac.new(f"{body['timestamp']}\n{KEY}".encode(), b"", hashlib.sha256).digest()).decode()
    assert body["sign"] == expected


def test_a_webhook_can_check_the_signature(tenant: Tenant, web: Web) -> None:
    send_test(make_channel(tenant, kind="webhook", settings=settings_of("webhook", web)))
    (asked,) = web.asked
    signed = asked.headers["x-iotpanel-timestamp"].encode() + b"." + asked.body
    assert asked.headers["x-iotpanel-signature"] == "v1=" + hmac.new(KEY.encode(), signed, hashlib.sha256).hexdigest()
    assert asked.json["about"][0]["rule"] == {"id": 0, "name": "Test"}


def test_slack_gets_no_markup_from_a_devices_name(tenant: Tenant, web: Web) -> None:
    web.answer = lambda asked: GOOD["slack"]
    make_device(tenant, key="room-1", name="<!channel> & co")
    notify(make_channel(tenant, kind="slack", settings=settings_of("slack", web), group_wait=0), firing(tenant))
    run.deliver()
    assert "&lt;!channel&gt; &amp; co" in web.asked[0].json["text"]
    assert {block["text"]["type"] for block in web.asked[0].json["blocks"]} == {"plain_text"}


def test_mail_goes_to_all_and_no_name_adds_a_header(tenant: Tenant, settings: Settings) -> None:
    settings.EMAIL_URL = "set"
    make_device(tenant, key="room-1", name="Room")
    channel = make_channel(tenant, kind="email", settings={"to": ["a@example.org", "b@example.org"]}, group_wait=0)
    notify(channel, firing(tenant, rule_name="Too warm\nBcc: thief@example.org"))
    run.deliver()
    (sent,) = mail.outbox
    assert sent.to == ["a@example.org", "b@example.org"]
    assert sent.subject.startswith("Too warm Bcc: thief@example.org: Room")
    assert sent.bcc == []


def test_mail_without_a_server_waits_and_says_what_to_set(tenant: Tenant) -> None:
    tried = send_test(make_channel(tenant, kind="email", settings={"to": ["a@example.org"]}))
    assert not tried.ok
    assert "IOTPANEL_EMAIL_URL" in tried.answer


def test_a_storm_is_one_message(tenant: Tenant, web: Web) -> None:
    web.answer = lambda asked: GOOD["telegram"]
    channel = make_channel(tenant, kind="telegram", settings=settings_of("telegram", web), group_wait=3600, group_interval=3600)
    for number in range(200):
        notify(channel, firing(tenant, key=f"room-{number}"))
    assert run.deliver() == 0  # the first waits for others
    OutboxItem.objects.filter(pk=OutboxItem.objects.order_by("pk")[0].pk).update(due_at=timezone.now() - timedelta(seconds=1))
    run.deliver()
    (asked,) = web.asked
    text = asked.json["text"]
    assert text.startswith("200 messages: Too warm: room-0 (raised)")
    assert "and 150 more" in text
    assert not OutboxItem.objects.filter(state="waiting").exists()
    notify(channel, firing(tenant), firing(tenant, change="cleared"))
    OutboxItem.objects.filter(state="waiting").update(due_at=timezone.now() - timedelta(seconds=1))
    run.deliver()
    assert len(web.asked) == 1  # the interval is not over
    later()
    run.deliver()
    assert len(web.asked) == 2


def test_words_of_the_channel_and_of_the_action(tenant: Tenant, web: Web) -> None:
    make_device(tenant, key="room-1", name="Room", labels={"floor": "2"})
    channel = make_channel(
        tenant,
        kind="webhook",
        settings={"url": web.url},
        title="{{ device.labels.floor }}",
        text="{{ change }}",
        group_wait=0,
        group_interval=0,
    )
    notify(channel, firing(tenant))
    notify(channel, firing(tenant), title="{{ values.temperature | round(0) }} °C")
    run.deliver()
    run.deliver()
    texts = [(asked.json["title"], asked.json["text"]) for asked in web.asked]
    assert texts in ([("2", "raised"), ("32 °C", "raised")], [("2 messages: 2", "2\n32 °C")])


def test_of_an_alarm_people_are_told_how_bad_it_is_what_it_says_and_where_to_see_to_it(
    tenant: Tenant, other_tenant: Tenant, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://panel.example.org/"
    device = make_freezer(tenant)
    channel, own = make_channel(tenant, group_wait=0), make_channel(tenant, group_wait=0, title="{{ alarm.severity }}: {{ alarm.message }}")
    actions: list[dict[str, Any]] = [{"kind": "alarm", "severity": "critical", "message": "At {temperature} °C"}]
    actions += [{"kind": "notify", "channel": each.pk, "on": ["raised", "cleared"]} for each in (channel, own)]
    make_rule(tenant, name="Freezer", actions=actions)
    say(device, 0, temperature=9)
    run.deliver()
    alarm = Alarm.objects.get()
    first, second = Notice.objects.order_by("title")
    assert (first.title, second.title) == ("[CRITICAL] At 9 °C", "critical: At 9 °C")
    assert "Freezer, freezer (freezer), " in first.text
    assert first.text.endswith(f": temperature: 9\nhttps://panel.example.org/alarms/{alarm.pk}/?tenant={tenant.key}")

    Notice.objects.all().delete()
    Target.objects.update(paused_until=None)
    say(device, 1, temperature=1)
    run.deliver()
    assert {notice.title for notice in Notice.objects.for_tenant(tenant)} == {"[CLEARED] At 9 °C", "critical: At 9 °C"}
    assert not Notice.objects.for_tenant(other_tenant).exists()


def test_on_the_pages_a_notice_appears_in_its_tenant_only(tenant: Tenant, other_tenant: Tenant) -> None:
    notify(make_channel(tenant, group_wait=0), firing(tenant))
    run.deliver()
    assert [notice.title for notice in Notice.objects.for_tenant(tenant)] == ["Too warm: room-1 (raised)"]
    assert not Notice.objects.for_tenant(other_tenant).exists()


def test_a_rule_reaches_no_channel_of_another_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    theirs = make_channel(other_tenant, group_wait=0)
    notify(theirs, firing(tenant))
    run.deliver()
    assert not Notice.objects.exists()
    assert OutboxItem.objects.get().state == "dead"


@pytest.mark.parametrize("kind", [kind for kind in CHANNELS if kind not in ("email", "inpage", "web_push")])
def test_inner_addresses_are_refused(kind: str, tenant: Tenant, web: Web, settings: Settings) -> None:
    """Also at delivery: of one that was saved while the operator allowed its network."""
    channel = make_channel(tenant, kind=kind, settings=settings_of(kind, web))
    settings.ALLOWED_NETWORKS = []
    with pytest.raises(ValidationError) as caught:
        make_channel(tenant, kind=kind, settings=settings_of(kind, web))
    assert list(caught.value.message_dict) == ["settings.url"]
    tried = send_test(channel)
    assert not tried.ok
    assert "IOTPANEL_ALLOWED_NETWORKS" in tried.answer
    assert web.asked == []
    assert TOKEN not in tried.answer
