"""Rules and alarms over REST, as the contract says."""

from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from django.utils import timezone
from pytest_django import Settings

from devices.products import update_product
from iotpanel.tenants.models import Role, Tenant, User
from rules.models import Alarm, Rule
from tests.make import make_member
from tests.rest import Rest, refused, results
from tests.rules.make import MODEL, T0, make_freezer, make_rule, say

pytestmark = pytest.mark.django_db
BODY: dict[str, Any] = {
    "name": "Too warm",
    "enabled": True,
    "scope": {"product": "freezers"},
    "trigger": "readings",
    "when": {"property": "temperature", "op": ">", "value": 5},
    "for": "5m",
    "clear": {"property": "temperature", "op": "<", "value": 3},
    "actions": [{"kind": "alarm", "severity": "critical", "message": "{device} is at {temperature}"}],
}


def test_a_rule_is_made_read_changed_and_deleted(owner: User, tenant: Tenant) -> None:
    make_freezer(tenant)
    api = Rest(owner)
    made = api.post("rules/", BODY)
    assert made.status_code == 201, made.content
    rule = made.json()
    assert {name: rule[name] for name in BODY} == BODY
    path = f"rules/{rule['id']}/"
    assert api.get(path).json() == rule
    assert [each["id"] for each in results(api.get("rules/"))] == [rule["id"]]
    changed = api.patch(path, {"for": None, "enabled": False}).json()
    assert "for" not in changed
    assert (changed["enabled"], changed["when"]) == (False, BODY["when"])
    assert results(api.get("rules/", enabled="true")) == []
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_the_published_schema_takes_what_is_saved(owner: User) -> None:
    schema = Rest(owner).get("rules/schema/").json()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(BODY, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**BODY, "when": {"propperty": "t"}}, schema)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"when": {"property": "humidity", "op": ">", "value": 5}}, "when.property"),
        ({"when": {"property": "door", "op": ">", "value": 5}}, "when.property"),
        ({"when": {"property": "temperature", "op": "=", "value": "warm"}}, "when.property"),
        ({"when": {"property": "temperature", "op": ">", "value": "warm"}}, "when.value"),
        ({"when": {"property": "temperature", "aggregate": "avg", "over": "0s", "op": ">", "value": 1}}, "when.over"),
        ({"when": {"property": "temperature", "aggregate": "avg", "over": "3650d", "op": ">", "value": 1}}, "when.over"),
        ({"when": {"property": "temperature", "op": ">", "value": {"device": "nobody", "property": "temperature"}}}, "when.value.device"),
        ({"clear": {"property": "humidity", "op": ">", "value": 5}}, "clear.property"),
        ({"scope": {"product": "nothing"}}, "scope.product"),
        ({"scope": {"devices": ["freezer", "ghost"]}}, "scope.devices"),
        ({"scope": {"group": "nowhere"}}, "scope.group"),
        ({"trigger": {"kind": "event", "name": "flew"}, "for": None, "clear": None}, "trigger.name"),
        ({"actions": [{"kind": "teleport"}]}, "actions.0.kind"),
        ({"actions": [{"kind": "alarm", "severity": "awful"}]}, "actions.0.severity"),
        ({"actions": [{"kind": "alarm", "message": "{humidity}"}]}, "actions.0.message"),
        ({"actions": [{"kind": "alarm", "assign": "nobody"}]}, "actions.0.assign"),
        ({"actions": [{"kind": "alarm", "escalate": [{"after": "0s"}]}]}, "actions.0.escalate.0.after"),
        ({"actions": [{"kind": "reading", "property": "door", "formula": "temperature"}]}, "actions.0.property"),
        ({"actions": [{"kind": "reading", "property": "computed", "formula": "humidity * 2"}]}, "actions.0.formula"),
        ({"actions": [{"kind": "reading", "property": "temperature", "formula": "temperature * 2"}]}, "actions.0.formula"),
        ({"actions": [{"kind": "scene", "steps": [{"wait": "10y"}]}]}, "actions.0.steps.0.wait"),
        ({"actions": [{"kind": "webhook", "url": "http://169.254.169.254/latest"}]}, "actions.0.url"),
        ({"actions": [{"kind": "scene", "steps": [{"kind": "webhook", "url": "http://[::1]:8000/"}]}]}, "actions.0.steps.0.url"),
        ({"name": ""}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_refused_with_its_field(owner: User, tenant: Tenant, changes: dict[str, Any], field: str) -> None:
    make_freezer(tenant)
    answer = Rest(owner).post("rules/", {name: value for name, value in (BODY | changes).items() if value is not None})
    assert field in refused(answer, 400, "invalid"), answer.content
    assert not Rule.objects.exists()


def test_what_became_wrong_is_said_and_stands_in_nobodys_way_to_switch_it_off(owner: User, viewer: User, tenant: Tenant) -> None:
    product = make_freezer(tenant).product
    path = f"rules/{make_rule(tenant).pk}/"
    assert Rest(viewer).get(path).json()["problems"] == []
    known: Any = MODEL["properties"]
    lost = {**MODEL, "properties": [each for each in known if each["key"] != "temperature"]}
    update_product(product, thing_model=lost)

    [problem] = Rest(viewer).get(path).json()["problems"]
    assert problem["field"] == "when.property"
    assert problem["message"].startswith("There is no property “temperature”")
    chinese = Rest(viewer)
    chinese.headers["Accept-Language"] = "zh-hans"
    assert "没有属性" in chinese.get(path).json()["problems"][0]["message"]
    assert results(Rest(viewer).get("rules/"))[0]["problems"] is None

    off = Rest(owner).patch(path, {"enabled": False}).json()
    assert (off["enabled"], off["problems"]) == (False, [problem])
    assert "when.property" in refused(Rest(owner).patch(path, {"enabled": True}), 400, "invalid")
    assert "when.property" in refused(Rest(owner).patch(path, {"cooldown": "5m"}), 400, "invalid")
    update_product(product, thing_model=MODEL)
    assert Rest(owner).patch(path, {"enabled": True}).json()["problems"] == []


def test_a_hostile_name_is_a_text_and_a_hostile_template_reads_nothing(owner: User, tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    name = "<script>alert(1)</script> {rule} {__class__}"
    action = {"kind": "alarm", "message": "{rule} {device}"}
    body = {key: value for key, value in BODY.items() if key not in ("for", "clear")}
    assert Rest(owner).post("rules/", {**body, "name": name, "actions": [action]}).status_code == 201
    say(freezer, 0, temperature=9)
    assert Alarm.objects.get().message == f"{name} freezer"
    for template in ("{device.__class__}", "{0}", "{temperature.real}"):
        answer = Rest(owner).post("rules/", {**body, "actions": [{"kind": "alarm", "message": template}]})
        assert "actions.0.message" in refused(answer, 400, "invalid")


def test_who_may_do_what(owner: User, viewer: User, stranger: User, tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    rule = make_rule(tenant)
    say(freezer, 0, temperature=9)
    alarm = Alarm.objects.get()
    operator = Rest(make_member(tenant, Role.OPERATOR))
    assert len(results(Rest(viewer).get("alarms/"))) == 1
    assert Rest(viewer).post(f"alarms/{alarm.pk}/acknowledge/").status_code == 403
    assert Rest(viewer).post("rules/", BODY).status_code == 403
    assert operator.post("rules/", BODY).status_code == 403
    assert operator.post(f"alarms/{alarm.pk}/acknowledge/").status_code == 200
    assert results(Rest(stranger).get("alarms/")) == results(Rest(stranger).get("rules/")) == []
    for path in (f"alarms/{alarm.pk}/", f"rules/{rule.pk}/", f"rules/{rule.pk}/trace/"):
        assert Rest(stranger).get(path).status_code == 404
    assert Rest(stranger).post(f"alarms/{alarm.pk}/clear/").status_code == 404


def test_the_life_of_an_alarm(owner: User, tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant)
    say(freezer, 0, temperature=9)
    api = Rest(owner)
    [alarm] = results(api.get("alarms/", device="freezer", active="true", severity="major"))
    assert {"id", "rule", "device", "severity", "active", "acknowledged", "message", "value", "raised_at", "cleared_at"} <= set(alarm)
    assert (alarm["device"], alarm["value"], alarm["acknowledged"]) == ("freezer", 9, False)
    path = f"alarms/{alarm['id']}/"
    assert api.post(path + "acknowledge/", {"text": "seen"}).json()["acknowledged"]
    assert api.post(path + "assign/", {"to": "olga"}).json()["assigned_to"] == "olga"
    refused(api.post(path + "assign/", {"to": "sam"}), 400, "invalid")
    assert api.post(path + "comments/", {"text": "compressor hums"}).status_code == 201
    until = (timezone.now() + timedelta(hours=1)).isoformat()
    assert api.post(path + "shelve/", {"until": until}).json()["shelved_until"] == until
    refused(api.post(path + "shelve/", {"until": "2020-01-01T00:00:00Z"}), 400, "invalid")
    assert api.get("alarms/counts/").json() == {
        "active": 0, "unacknowledged": 0, "shelved": 1,
        "by_severity": {"critical": 0, "major": 0, "minor": 0, "warning": 0, "info": 0},
    }  # fmt: skip
    cleared = api.post(path + "clear/").json()
    assert (cleared["active"], cleared["acknowledged"]) == (False, True)
    history = [(each["kind"], each["person"], each["text"]) for each in results(api.get(path + "comments/"))]
    assert history[:3] == [("raised", None, ""), ("acknowledged", "olga", "seen"), ("assigned", "olga", "")]
    say(freezer, 1, temperature=9)  # it holds still: a new one
    assert len(results(api.get("alarms/", active="true"))) == 1


def test_alarms_of_a_group_and_of_a_gateway(owner: User, tenant: Tenant) -> None:
    gateway = make_freezer(tenant, "gateway")
    child = make_freezer(tenant, "child", parent=gateway)
    make_rule(tenant)
    say(child, 0, temperature=9)
    assert len(results(Rest(owner).get("alarms/", device="gateway"))) == 1


def test_a_back_test_says_what_live_would_have_said(owner: User, tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    for at, value in ((0, 4), (60, 6), (180, 7), (700, 6), (800, 2), (900, 8)):
        say(freezer, at, temperature=value)
    api = Rest(owner)
    span = {"start": T0 / 1000, "end": T0 / 1000 + 3_600_000}
    answer = api.post("rules/backtest/", {"rule": BODY, **span})
    assert answer.status_code == 200, answer.content
    found = answer.json()
    moments = [(firing["change"], round(firing["ts"] - T0 / 1000) / 1000) for firing in found["firings"]]
    assert moments == [("raised", 360), ("cleared", 800), ("raised", 1200)]
    assert (found["devices"], found["alarms"], found["stopped"]) == (1, 2, "")
    rule = api.post("rules/", BODY).json()
    assert api.post(f"rules/{rule['id']}/backtest/", span).json()["firings"] == found["firings"]
    refused(api.post("rules/backtest/", {"rule": {**BODY, "for": "0s"}, **span}), 400, "invalid")
    refused(api.post("rules/backtest/", {"rule": BODY, "start": span["end"], "end": span["start"]}), 400, "invalid")
    assert Alarm.objects.count() == 0


def test_a_scene_is_run_by_hand(owner: User, viewer: User, tenant: Tenant) -> None:
    make_freezer(tenant, "one")
    make_freezer(tenant, "two")
    rule = make_rule(tenant, trigger="scene", when=None)
    assert Rest(viewer).post(f"rules/{rule.pk}/run/").status_code == 403
    assert Rest(owner).post(f"rules/{rule.pk}/run/").json() == {"devices": 2}
    assert Alarm.objects.active().count() == 2
    other = make_rule(tenant)
    refused(Rest(owner).post(f"rules/{other.pk}/run/"), 409, "not_a_scene")


def test_limits_are_said_and_kept(owner: User, tenant: Tenant, settings: Settings) -> None:
    make_freezer(tenant)
    settings.RULES_PER_TENANT = 1
    make_rule(tenant)
    assert "name" in refused(Rest(owner).post("rules/", BODY), 400, "invalid")
    assert Rest(owner).get("rules/limits/").json() == {
        "rules": 1, "most_rules": 1, "running": 1, "failed": 0,
        "most_firings_per_minute": 60_000, "fired": 0, "postponed": 0, "skipped": 0,
    }  # fmt: skip


def test_maintenance_and_rotations(owner: User, tenant: Tenant) -> None:
    api, now = Rest(owner), timezone.now()
    window = {"name": "defrosting", "starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=2)).isoformat()}
    made = api.post("maintenances/", window)
    assert made.status_code == 201, made.content
    assert "scope.product" in refused(api.post("maintenances/", {**window, "scope": {"product": "ghost"}}), 400, "invalid")
    assert "ends_at" in refused(api.post("maintenances/", {**window, "ends_at": window["starts_at"]}), 400, "invalid")
    rota = {"key": "nights", "name": "Nights", "people": ["olga"], "starts_at": now.isoformat()}
    assert api.post("rotations/", rota).json()["on_call"] == "olga"
    assert "people" in refused(api.post("rotations/", {**rota, "key": "days", "people": ["sam"]}), 400, "invalid")
