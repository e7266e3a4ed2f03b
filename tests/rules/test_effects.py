"""A rule's own webhooks and messages: that they do not arrive is said on its page and over REST, with the other side's words."""

from typing import Any

import pytest
from pytest_django import Settings

from iotpanel.tenants.models import Role, Tenant, User
from rules import effects
from rules.actions import ACTIONS
from rules.delivery import old, run
from rules.firing import Firing
from rules.models import Alarm, OutboxItem, Rule, Target
from rules.problems import BadRule
from rules.rules import update_rule
from tests import make
from tests.pages.people import browser, words
from tests.rest import Rest, refused
from tests.rules.make import make_freezer, make_rule, say

HOOK = {"kind": "webhook", "url": "http://169.254.169.254/latest/"}


@pytest.fixture
def rule(tenant: Tenant, settings: Settings) -> Rule:
    """It calls an address that nobody may reach any more, and publishes to a device that is not there."""
    make_freezer(tenant)
    settings.ALLOWED_NETWORKS = ["169.254.0.0/16"]
    found = make_rule(tenant, actions=[{"kind": "alarm"}, HOOK])
    settings.ALLOWED_NETWORKS = []
    firing = Firing(tenant.pk, found.pk, found.name, 7, "freezer", 1_767_225_600_000_000, "raised", {"temperature": 9})
    ACTIONS["webhook"]({"url": HOOK["url"]}).run([firing])
    ACTIONS["mqtt"]({"topic": "devices/{{ device.key }}-2/down/x", "template": "hot"}).run([firing])
    run.deliver()
    return found


def test_it_is_said_to_who_may_look_and_tried_again_by_who_may_act(rule: Rule, tenant: Tenant, viewer: User, stranger: User) -> None:
    address = f"rules/{rule.pk}/"
    hook, topic = Rest(viewer).get(f"{address}outside/").json()
    assert (hook["kind"], hook["health"]["state"], hook["health"]["waiting"]) == ("webhook", "down", 1)
    assert "which is no public address" in hook["deliveries"][0]["answer"]
    assert (hook["address"], topic["address"]) == (HOOK["url"], "")
    assert (topic["kind"], "devices/<key>/down" in topic["health"]["last_error"]) == ("mqtt", True)
    page = words(browser(viewer).get(f"/{address}").content)
    assert f"Its webhooks {HOOK['url']}" in page
    assert "which is no public address" in page
    assert "What it sends does not arrive" in words(browser(viewer).get("/rules/").content)

    OutboxItem.objects.update(state="dead")
    refused(Rest(viewer).post(f"{address}put-back/"), 403, "permission_denied")
    refused(Rest(stranger).get(f"{address}outside/"), 404, "not_found")
    assert browser(viewer).post(f"/{address}retry/").status_code == 403
    assert browser(stranger).post(f"/{address}retry/").status_code == 404
    operator = make.make_member(tenant, Role.OPERATOR, username="otto")
    assert Rest(operator).post(f"{address}put-back/").json() == {"put_back": 2}
    OutboxItem.objects.update(state="dead")
    browser(operator).post(f"/{address}retry/")
    assert set(OutboxItem.objects.values_list("state", flat=True)) == {"waiting"}


def test_each_address_does_as_it_does_and_one_that_the_rule_has_no_more_is_shown_while_something_waits(
    rule: Rule, tenant: Tenant, viewer: User
) -> None:
    other = {"kind": "webhook", "url": "https://example.org/in"}
    ACTIONS["webhook"]({"url": other["url"]}).run([Firing(tenant.pk, rule.pk, rule.name, 7, "freezer", 1, "raised", {})])
    scene = {"kind": "scene", "steps": [{"wait": "5s"}, other]}
    update_rule(rule, body={**rule.body, "actions": [scene]})
    address = f"rules/{rule.pk}/outside/"

    found = [(each["kind"], each["address"], each["health"]["waiting"]) for each in Rest(viewer).get(address).json()]
    assert found == [("webhook", "", 1), ("webhook", other["url"], 1), ("mqtt", "", 1)]
    assert effects.down_of(tenant, [rule.pk]) == {rule.pk}
    OutboxItem.objects.exclude(payload__url=other["url"]).delete()
    assert [each["address"] for each in Rest(viewer).get(address).json()] == [other["url"], ""]
    assert effects.down_of(tenant, [rule.pk]) == set()
    assert Target.objects.filter(kind="webhook", failures__gt=0).count() == 1
    old.drop()
    assert not Target.objects.filter(kind="webhook", failures__gt=0).exists()


def test_a_rule_that_sent_nothing_says_nothing(tenant: Tenant, viewer: User) -> None:
    make_freezer(tenant)
    assert Rest(viewer).get(f"rules/{make_rule(tenant).pk}/outside/").json() == []


def test_a_template_that_stumbles_over_a_value_costs_no_alarm(tenant: Tenant) -> None:
    """The door says a text where the template wants a number, which no sample could tell."""
    device = make_freezer(tenant)
    when = {"property": "door", "op": "=", "value": "open"}
    hook = {"kind": "webhook", "url": "https://example.org/", "template": "{{ values.door | round(1) }}"}
    rule = make_rule(tenant, when=when, actions=[hook, {"kind": "alarm"}])
    say(device, 0, door="open")

    assert Alarm.objects.active().count() == 1
    rule.refresh_from_db()
    assert (rule.failures, rule.last_error) == (1, "TemplateError: open is no number")
    assert not OutboxItem.objects.exists()


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        ("webhook", {"url": "https://x.example", "template": "{{ device.name | round(1) }}"}, "template"),
        ("notify", {"channel": 1, "text": "{{ rule.name | times(2) }}"}, "text"),
        ("mqtt", {"topic": "devices/{{ device.key }}/up/telemetry", "template": ""}, "topic"),
        ("mqtt", {"topic": "devices/+/down/x", "template": ""}, "topic"),
        ("mqtt", {"topic": "$SYS/x", "template": ""}, "topic"),
    ],
)
def test_what_can_never_be_sent_is_refused_at_save(kind: str, given: dict[str, Any], field: str) -> None:
    action: Any = ACTIONS[kind](given)
    with pytest.raises(BadRule) as caught:
        action.check(None, None, "actions.0")
    assert caught.value.path == f"actions.0.{field}"


def test_templates_of_numbers_texts_lists_and_labels_are_taken() -> None:
    for text in ("{{ values.t | round(1) }}", "{{ values.names | join }}", "{{ values | json }}", "{{ alarm.severity | upper }}"):
        ACTIONS["webhook"]({"url": "https://x.example", "template": text}).check(None, None, "")  # type: ignore[attr-defined]
    labelled: Any = ACTIONS["mqtt"]({"topic": "devices/{{ device.labels.lamp }}/down/on", "template": ""})
    labelled.check(None, None, "")
