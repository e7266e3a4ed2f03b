"""Actions that reach the outside: what they promise, and what comes of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from iotpanel.tenants.models import Tenant
from rules.actions import ACTIONS
from rules.delivery import run
from rules.firing import Firing
from rules.models import OutboxItem, Target
from rules.problems import BadRule
from rules.topics import device_of
from tests.make import make_device
from tests.rules.fakes import make_forwarder
from tests.rules.outside.web import Web

AT = 1_767_225_600_000_000


@pytest.fixture
def web(settings: Settings) -> Iterator[Web]:
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Web.running() as running:
        yield running


def firing(tenant: Tenant, **overrides: Any) -> Firing:
    return Firing(tenant.pk, 5, "Too warm", 7, "room-1", AT, "raised", {"temperature": 31.5})._replace(**overrides)


def test_a_webhook_is_called_with_the_rules_words(tenant: Tenant, web: Web) -> None:
    make_device(tenant, key="room-1", name='The "hall"')
    settings = {"url": f"{web.url}/x", "method": "PUT", "template": '{"who": "{{ device.name }}", "t": {{ values.temperature }}}'}
    ACTIONS["webhook"](settings).run([firing(tenant)])
    run.deliver()
    (asked,) = web.asked
    assert (asked.method, asked.path, asked.json) == ("PUT", "/x", {"who": 'The "hall"', "t": 31.5})


def test_a_webhook_without_a_template_gets_all_of_it(tenant: Tenant, web: Web) -> None:
    ACTIONS["webhook"]({"url": web.url}).run([firing(tenant)])
    run.deliver()
    rule = {"id": 5, "name": "Too warm"}
    assert web.asked[0].json == {"rule": rule, "change": "raised", "values": {"temperature": 31.5}, "device": "room-1", "at": AT}


def test_a_webhook_to_an_inner_address_waits_with_the_reason(tenant: Tenant, web: Web, settings: Settings) -> None:
    settings.ALLOWED_NETWORKS = []
    ACTIONS["webhook"]({"url": web.url}).run([firing(tenant)])
    run.deliver()
    assert web.asked == []
    assert OutboxItem.objects.get().state == "waiting"


def test_a_webhook_that_is_down_holds_up_no_other_of_its_rule(tenant: Tenant, web: Web) -> None:
    web.answer = lambda asked: (503 if asked.path == "/down" else 200, b"", {})
    down, up = (ACTIONS["webhook"]({"url": f"{web.url}/{name}", "template": "{{ values.n }}"}) for name in ("down", "up"))
    for n in (1, 2, 3):
        for action in (down, up):
            action.run([firing(tenant, values={"n": n})])
        run.deliver()
    assert [asked.body for asked in web.asked if asked.path == "/up"] == [b"1", b"2", b"3"]
    assert OutboxItem.objects.filter(state="waiting").count() == 3
    assert Target.objects.filter(kind="webhook", target=5, failures__gt=0).count() == 1

    web.asked.clear()
    web.answer = lambda asked: (200, b"", {})
    Target.objects.update(paused_until=None)
    run.deliver()
    assert [(asked.path, asked.body) for asked in web.asked] == [("/down", b"1"), ("/down", b"2"), ("/down", b"3")]


def test_a_rule_forwards(tenant: Tenant, web: Web) -> None:
    make_device(tenant, key="room-1")
    forwarder = make_forwarder(tenant, kind="http", settings={"url": web.url}, stream="")
    ACTIONS["forward"]({"forwarder": forwarder.pk}).run([firing(tenant)])
    run.deliver()
    said = web.asked[0].json
    assert (said["stream"], said["device"], said["rule"]["name"], said["values"]) == ("rule", "room-1", "Too warm", {"temperature": 31.5})


@pytest.mark.parametrize("kind", ["webhook", "mqtt", "notify"])
def test_a_template_that_does_not_compile_is_refused_when_the_rule_is_made(kind: str) -> None:
    settings = {"webhook": {"url": "https://x.example", "template": "{{ no.such }}"}, "mqtt": {"topic": "{{ x }}", "template": ""}}
    settings["notify"] = {"channel": 1, "text": "{{ device.name | shout }}"}  # type: ignore[dict-item]
    action: Any = ACTIONS[kind](settings[kind])
    with pytest.raises(BadRule, match=r"actions\.0"):
        action.check(None, None, "actions.0")


@pytest.mark.parametrize(
    ("topic", "key"),
    [
        ("devices/room-1/down/x", "room-1"),
        ("devices/room-1/down/x/y", "room-1"),
        ("devices/room-1/up/telemetry", ""),
        ("devices/room-1/down", ""),
        ("devices//down/x", ""),
        ("devices/+/down/x", ""),
        ("devices/room-1/down/#", ""),
        ("$SYS/broker", ""),
        ("tele/room-1/SENSOR", ""),
        ("", ""),
    ],
)
def test_which_topics_a_rule_may_publish_to(topic: str, key: str) -> None:
    assert device_of(topic) == key


def test_a_rule_publishes_to_no_device_of_another_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    make_device(other_tenant, key="theirs")
    ACTIONS["mqtt"]({"topic": "devices/theirs/down/x", "template": "{}"}).run([firing(tenant)])
    run.deliver()
    item = OutboxItem.objects.get()
    assert item.attempts >= 1
    assert "devices/<key>/down" in item.last_error


def test_a_rule_publishes_to_its_device(tenant: Tenant) -> None:
    """On the suite's own broker."""
    make_device(tenant, key="room-1")
    ACTIONS["mqtt"]({"topic": "devices/{{ device.key }}/down/lamp", "template": '{"on": {{ values.temperature }}}'}).run([firing(tenant)])
    payload = OutboxItem.objects.get().payload
    assert (payload["topic"], json.loads(payload["body"])) == ("devices/room-1/down/lamp", {"on": 31.5})
    assert run.deliver() == 1
    assert OutboxItem.objects.get().state == "delivered"
