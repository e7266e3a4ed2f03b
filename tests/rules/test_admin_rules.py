"""Rules, alarms and what stands around them in the admin: forms by the verbs, each in their own tenant, by role."""

import json
from typing import Any

import pytest
from django.utils import timezone

from iotpanel.tenants.models import Role, Tenant, User
from rules.models import Alarm, Maintenance, Rotation, Rule
from tests import make
from tests.admin_client import Admin, errors_of
from tests.rules.make import HOT, make_freezer, make_rule

BODY: dict[str, Any] = {"scope": {"product": "freezers"}, "when": HOT, "actions": [{"kind": "alarm", "severity": "major"}]}


def values(tenant: Tenant, body: Any = BODY, **overrides: Any) -> dict[str, Any]:
    return {"tenant": tenant.pk, "name": "Hot", "enabled": "on", "body": json.dumps(body)} | overrides


def an_alarm(tenant: Tenant, **overrides: Any) -> Alarm:
    device = make_freezer(tenant, key=f"room-{Alarm.objects.count()}")
    return Alarm.objects.create(tenant=tenant, rule_name="Hot", device=device, message="<b>Hot</b>", raised_at=timezone.now(), **overrides)


def test_a_rule_is_made_changed_switched_and_deleted(owner: User, tenant: Tenant) -> None:
    make_freezer(tenant)
    admin = Admin(owner)
    assert admin.add(Rule, **values(tenant)).status_code == 302
    rule = Rule.objects.get()
    assert (rule.body, rule.created_by) == (BODY, owner)
    assert b"/admin/r/" in admin.open(rule).content  # the page is one click away

    assert admin.change(rule, **values(tenant, BODY | {"for": "5m"}, name="Hotter")).status_code == 302
    rule.refresh_from_db()
    assert (rule.name, rule.body["for"], rule.version) == ("Hotter", "5m", 2)
    admin.act(Rule, "switch_off", rule)
    rule.refresh_from_db()
    assert not rule.enabled
    assert b"raise the alarm" in admin.list(Rule, state="off").content
    assert admin.delete(rule).status_code == 302
    assert not Rule.objects.exists()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (BODY | {"when": {"property": "nothing", "op": ">", "value": 5}}, "when.property: There is no property"),
        (BODY | {"actions": [{"kind": "notify"}]}, "actions.0.channel: This is needed."),
        (BODY | {"actions": [{"kind": "smoke"}]}, "actions.0.kind: There is no action"),
        (BODY | {"actions": [{"kind": "webhook", "url": "http://localhost/"}]}, "actions.0.url: localhost is at 127.0.0.1"),
        (BODY | {"colour": "red"}, ".colour: not known here"),
        (["x"], "a rule is an object"),
    ],
)
def test_what_is_wrong_inside_the_json_is_named(body: Any, said: str, owner: User, tenant: Tenant) -> None:
    make_freezer(tenant)
    wrong = errors_of(Admin(owner).add(Rule, **values(tenant, body)))

    assert set(wrong) == {"body"}
    assert said in wrong["body"][0]
    assert not Rule.objects.exists()


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "null", '"\\u0000"'])
def test_no_json_is_an_error_of_its_field(text: str, owner: User, tenant: Tenant) -> None:
    assert set(errors_of(Admin(owner).add(Rule, **values(tenant, body=text)))) == {"body"}


def test_alarms_are_acknowledged_and_cleared_by_operators_only(viewer: User, tenant: Tenant) -> None:
    first, second = an_alarm(tenant, severity="critical"), an_alarm(tenant)
    operator = Admin(make.make_member(tenant, Role.OPERATOR))
    Admin(viewer).act(Alarm, "acknowledge", first)
    assert not Alarm.objects.exclude(acknowledged_at=None).exists()

    operator.act(Alarm, "acknowledge", first)
    operator.act(Alarm, "clear", first, second)
    assert [alarm.acknowledged for alarm in Alarm.objects.order_by("pk")] == [True, False]
    assert not Alarm.objects.filter(active=True).exists()
    page = operator.open(first).content
    assert b"<b>Hot</b>" not in page + operator.list(Alarm).content
    assert operator.list(Alarm, state="open").status_code == operator.list(Alarm, state="cleared").status_code == 200


def test_maintenance_and_rotations_are_made(owner: User, tenant: Tenant) -> None:
    admin = Admin(owner)
    span = {"starts_at_0": "2030-01-01", "starts_at_1": "08:00", "ends_at_0": "2030-01-01", "ends_at_1": "10:00"}
    window = {"tenant": tenant.pk, "name": "Filters", **span}
    wrong = errors_of(admin.add(Maintenance, **window, scope='{"product": "of-nobody"}'))
    assert wrong == {"scope": ["product: There is no product “of-nobody”."]}
    assert admin.add(Maintenance, **window, scope="{}").status_code == 302
    rotation = {"tenant": tenant.pk, "key": "night", "name": "Night", "people": json.dumps([owner.username]), "period": "7", **span}
    assert admin.add(Rotation, **rotation).status_code == 302
    assert owner.username in admin.list(Rotation).content.decode()


def test_a_viewer_looks_and_a_stranger_finds_nothing(viewer: User, stranger: User, tenant: Tenant) -> None:
    make_freezer(tenant)
    rule, alarm = make_rule(tenant, name="Ours"), an_alarm(tenant)
    window = Maintenance.objects.create(tenant=tenant, name="Ours", starts_at=timezone.now(), ends_at=timezone.now())
    for thing in (rule, alarm, window):
        assert Admin(viewer).open(thing).status_code == 200
        assert Admin(stranger).open(thing).status_code == 404
        assert b"Ours" not in Admin(stranger).list(type(thing)).content
    assert Admin(viewer).change(rule, **values(tenant)).status_code == 403
    Admin(stranger).act(Rule, "switch_off", rule)
    rule.refresh_from_db()
    assert (rule.name, rule.enabled) == ("Ours", True)
