"""Channels, forwarders and rules as code: out and in again, by names, and without secrets."""

from typing import Any

import pytest

from iotpanel.tenants.configuration import applying, document
from iotpanel.tenants.configuration.plan import export
from iotpanel.tenants.models import Role, Tenant, User
from rules.adapter_settings import unseal
from rules.models import Alarm, Channel, Forwarder, Rule
from tests.make import make_device, make_member
from tests.rest import Rest
from tests.rules.fakes import make_channel, make_forwarder
from tests.rules.make import HOT, make_freezer, make_rule, say

pytestmark = pytest.mark.django_db
TOKEN = "t0p-secret-token"
URL = "https://bus.example.org/in"


def text_of(tenant: Tenant) -> str:
    return document.write(export(tenant))


def written(found: dict[str, Any]) -> str:
    return document.write({"version": 1, **found})


def applied(tenant: Tenant, text: str, *, prune: bool = False) -> str:
    return applying.apply(tenant, document.read(text), prune=prune).text()


def problems(tenant: Tenant, text: str) -> str:
    with pytest.raises(applying.NotApplied) as caught:
        applying.apply(tenant, document.read(text))
    return caught.value.plan.text()


def sealed(forwarder: Forwarder) -> dict[str, Any]:
    return unseal(forwarder.sealed, purpose="forwarder")


def plant(tenant: Tenant) -> None:
    """A product, something to send to, and rules that do."""
    make_freezer(tenant, f"{tenant.key}-freezer")
    channel = make_channel(tenant, name="Duty / night", title="{{ device.key }}")
    forwarder = make_forwarder(tenant, name="Bus", kind="http", settings={"url": URL, "token": TOKEN}, template='{"a": "{{ device.key }}"}')
    notify, forward = {"kind": "notify", "channel": channel.pk}, {"kind": "forward", "forwarder": forwarder.pk}
    later = [{"after": "5m", "severity": "critical", "actions": [notify]}]
    make_rule(
        tenant, actions=[{"kind": "alarm", "escalate": later}, forward, {"kind": "scene", "steps": [notify, {"wait": "5s"}, forward]}]
    )
    make_rule(tenant, name="Too warm", when={**HOT, "value": 20}, enabled=False, description="The second of this name")


def test_what_is_written_is_read_again_and_changes_nothing(tenant: Tenant) -> None:
    plant(tenant)
    text = text_of(tenant)
    assert text == text_of(tenant)
    assert applied(tenant, text, prune=True) == "Nothing would change.\n"
    assert sealed(Forwarder.objects.get()) == {"token": TOKEN}


def test_no_secret_is_written_and_no_id(tenant: Tenant) -> None:
    plant(tenant)
    text = text_of(tenant)
    assert TOKEN not in text
    found = document.read(text)
    assert found["forwarders"]["Bus"]["settings"] == {"url": URL, "token": {"secret": "token"}}
    alarm, forward, scene = found["rules"]["Too warm"]["actions"]
    assert forward == {"kind": "forward", "forwarder": "Bus"}
    assert alarm["escalate"][0]["actions"] == [{"kind": "notify", "channel": "Duty / night"}]
    assert [step.get("forwarder") or step.get("channel") for step in scene["steps"]] == ["Duty / night", None, "Bus"]
    [second] = [rule for rule in Rule.objects.all() if rule.body.get("description")]
    assert found["rules"][f"Too warm #{second.pk}"]["enabled"] is False


def test_it_makes_the_same_in_another_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    plant(tenant)
    found = document.read(text_of(tenant))
    found["forwarders"]["Bus"]["settings"]["token"] = "another-secret"
    plan = applied(other_tenant, written(found))
    assert "another-secret" not in plan
    mine = Forwarder.objects.for_tenant(other_tenant).get()
    assert sealed(mine) == {"token": "another-secret"}
    rule = Rule.objects.for_tenant(other_tenant).get(name="Too warm")
    assert rule.body["actions"][1]["forwarder"] == mine.pk
    assert rule.body["actions"][2]["steps"][0]["channel"] == Channel.objects.for_tenant(other_tenant).get().pk
    again = applied(other_tenant, written(found))
    assert "another-secret" not in again
    assert 'settings.token.secret: "token" -> "given in the document"' in again
    device = make_device(other_tenant, key="warm", product=other_tenant.products.get())
    say(device, 0, temperature=9)
    assert Alarm.objects.for_tenant(other_tenant).count() == 1


def test_a_secret_that_is_left_out_is_taken_away_and_one_does_not_move(tenant: Tenant) -> None:
    plant(tenant)
    found = document.read(text_of(tenant))
    moved = {
        **found,
        "forwarders": {"Bus": {"kind": "http", "settings": {"url": "https://evil.example.org/", "token": {"secret": "token"}}}},
    }
    assert "forwarders/Bus/settings.token" in problems(tenant, written(moved))
    assert Forwarder.objects.get().settings == {"url": URL}
    del found["forwarders"]["Bus"]["settings"]["token"]
    applied(tenant, written(found))
    assert sealed(Forwarder.objects.get()) == {}


def test_pruning_goes_from_rules_to_what_they_name(tenant: Tenant) -> None:
    plant(tenant)
    applied(tenant, "version: 1\nrules: {}\nforwarders: {}\nchannels: {}\n", prune=True)
    assert (Rule.objects.count(), Forwarder.objects.count(), Channel.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules: {R: {scope: {product: freezers}, actions: [{kind: forward, forwarder: Nobody}]}}", "! rules/R/actions.0.forwarder"),
        (
            "rules: {R: {scope: {product: freezers}, when: {property: nothing, op: '>', value: 1}, actions: [{kind: alarm}]}}",
            "! rules/R/when.property",
        ),
        ("rules: {R: {scope: {product: freezers}, actions: 5}}", "! rules/R/actions"),
        ("rules: {R: {scope: {product: freezers}, actions: [{kind: alarm}], enabled: maybe}}", "! rules/R/enabled"),
        ("rules: {R: {actions: []}}", "! rules/R/scope"),
        ("rules: {R: {scope: {product: freezers}, actions: [], colour: red}}", "! rules/R/colour"),
        ("rules: {' R': {scope: {product: freezers}, actions: [{kind: alarm}]}}", "! rules/ R"),
        ("forwarders: {F: {kind: http}}", "! forwarders/F/settings.url"),
        ("forwarders: {F: {kind: http, settings: 5}}", "! forwarders/F/settings"),
        ("forwarders: {F: {kind: [http], settings: {token: x}}}", "! forwarders/F/kind"),
        ("forwarders: {F: {kind: http, settings: {url: {secret: url}}}}", "! forwarders/F/settings.url"),
        ("channels: {C: {kind: teleport}}", "! channels/C/kind"),
        ("channels: {C: {kind: inpage, title: '{{ nothing }}'}}", "! channels/C/title"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tenant: Tenant, text: str, problem: str) -> None:
    make_freezer(tenant)
    assert problem in problems(tenant, f"version: 1\n{text}\n")
    assert not Rule.objects.exists()


def test_a_stranger_sees_nothing_and_an_operator_changes_nothing(tenant: Tenant, stranger: User) -> None:
    plant(tenant)
    assert "Bus" not in Rest(stranger).get("config/").content.decode()
    operator = Rest(make_member(tenant, Role.OPERATOR))
    assert operator.post("config/apply/", {"version": 1, "rules": {}}).status_code == 403
