"""The rules' pages: the list as sentences, the builder's data, saving, and what each role may."""

import json
from typing import Any

import pytest

from devices.models import Product
from iotpanel.pages.rules import choices
from iotpanel.pages.rules.actions import FIELDS, LABELS
from iotpanel.tenants.models import Role, Tenant, User
from rules.actions import ACTIONS
from rules.models import Rule
from tests import make
from tests.pages.people import browser, words
from tests.rules.fakes import make_channel, make_forwarder

MODEL: dict[str, Any] = {
    "properties": [
        {"key": "t", "name": "Temperature", "type": "number", "unit": "°C"},
        {"key": "mode", "name": "Mode", "type": "text", "enum": ["eco", "full"]},
    ],
    "events": [{"key": "boot", "name": "Boot", "params": [{"key": "reason", "name": "Reason", "type": "text"}]}],
}
BODY: dict[str, Any] = {
    "scope": {"product": "cold"},
    "when": {"property": "t", "op": ">", "value": 5},
    "actions": [{"kind": "alarm", "severity": "critical", "message": "Too warm"}],
}


@pytest.fixture
def product(tenant: Tenant) -> Product:
    return make.make_product(tenant, key="cold", name="Cold room", thing_model=MODEL)


@pytest.fixture
def admin(tenant: Tenant) -> User:
    return make.make_member(tenant, Role.ADMIN)


@pytest.fixture
def rule(tenant: Tenant, product: Product) -> Rule:
    return Rule.objects.create(tenant=tenant, name="Warm", body=BODY)


def data_of(page: bytes) -> dict[str, Any]:
    text = page.decode().split('<script id="rule-data" type="application/json">')[1].split("</script>")[0]
    found: dict[str, Any] = json.loads(text)
    return found


def ask(user: User, path: str, **body: Any) -> Any:
    return browser(user).post(f"/rules/-/{path}/", json.dumps(body), content_type="application/json")


def test_the_list_shows_each_rule_as_a_sentence(viewer: User, rule: Rule) -> None:
    shown = words(browser(viewer).get("/rules/").content)

    assert "On any Cold room, when Temperature is above 5 °C, raise the alarm Critical: Too warm." in shown
    assert "New rule" not in shown
    assert "No rule is like that" in words(browser(viewer).get("/rules/?view=off").content)


def test_the_builder_knows_products_and_actions(viewer: User, rule: Rule) -> None:
    data = data_of(browser(viewer).get(f"/rules/{rule.pk}/").content)

    assert data["body"] == BODY
    assert data["products"][0]["properties"][0] == {"key": "t", "name": "Temperature", "type": "number", "unit": "°C"}
    assert data["products"][0]["events"][0]["params"][0]["key"] == "reason"
    assert {"alarm"} <= {kind["kind"] for kind in data["actions"]}
    assert data["writes"] is False


def field_of(data: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    fields = next(each["fields"] for each in data["actions"] if each["kind"] == kind)
    found: dict[str, Any] = next(each for each in fields if each["name"] == name)
    return found


def test_actions_are_chosen_from_what_the_tenant_has(viewer: User, rule: Rule, tenant: Tenant, other_tenant: Tenant) -> None:
    channel, forwarder = make_channel(tenant, name="Night shift"), make_forwarder(tenant, name="To the bus")
    make_channel(other_tenant, name="Foreign")
    scene = {"scope": {"product": "cold"}, "trigger": "scene", "actions": [{"kind": "scene", "steps": [{"wait": "5s"}]}, {"kind": "alarm"}]}
    other = Rule.objects.create(tenant=tenant, name="All off", body=scene)
    data = data_of(browser(viewer).get(f"/rules/{rule.pk}/").content)

    assert field_of(data, "notify", "channel")["options"] == [[channel.pk, "Night shift"]]
    assert field_of(data, "forward", "forwarder")["options"] == [[forwarder.pk, "To the bus"]]
    assert field_of(data, "alarm", "assign")["place"][0] == "/rotations/"  # there is none yet: where one is made
    assert data["scenes"] == [{"id": other.pk, "name": "All off", "steps": [{"wait": "5s"}, {"kind": "alarm"}]}]


def test_a_commands_arguments_come_with_their_types(viewer: User, tenant: Tenant) -> None:
    make.make_product(tenant, key="levels", thing_model=make.WITH_COMMANDS)
    found = {each["key"]: each for each in choices.products(tenant)[0]["commands"]}

    assert found["set-level"]["params"][0] == {"key": "level", "name": "level", "type": "number", "min": 0, "max": 100, "required": True}
    assert found["set-level"]["params"][1]["enum"] == ("soft", "hard")
    assert found["reboot"] == {"key": "reboot", "name": "Reboot", "params": []}


def test_every_kind_of_action_has_its_words_and_none_is_invented() -> None:
    assert set(ACTIONS) <= set(LABELS)
    assert set(LABELS) - set(ACTIONS) <= {"shadow"}
    unnamed = {name for of in ACTIONS.values() for name in of.SETTINGS["properties"]} - set(FIELDS)
    assert unnamed == set()


def test_devices_are_suggested_from_the_own_tenant(viewer: User, stranger: User, tenant: Tenant, product: Product) -> None:
    make.make_device(tenant, key="room-1", name="North", product=product)

    assert browser(viewer).get("/rules/-/devices/?q=nor").json() == {"devices": [{"key": "room-1", "name": "North", "product": "cold"}]}
    assert browser(viewer).get("/rules/-/devices/?q=%00%25").json() == {"devices": []}
    assert browser(stranger).get("/rules/-/devices/").json() == {"devices": []}


def test_a_new_rule_begins_with_what_is_there(admin: User, product: Product) -> None:
    assert data_of(browser(admin).get("/rules/-/new/?product=cold").content)["body"]["scope"] == {"product": "cold"}
    assert data_of(browser(admin).get("/rules/-/new/?product=%00nothing").content)["body"]["scope"] == {"product": "cold"}


def test_it_is_saved_switched_on_and_off(admin: User, product: Product, tenant: Tenant) -> None:
    client = browser(admin)
    client.post("/rules/-/new/", {"name": "Warm", "body": json.dumps(BODY)})
    made = Rule.objects.for_tenant(tenant).get()
    assert (made.name, made.enabled, made.body) == ("Warm", False, BODY)

    client.post(f"/rules/{made.pk}/", {"name": "Warmer", "body": json.dumps(BODY), "switch": "on"})
    made.refresh_from_db()
    assert (made.name, made.enabled) == ("Warmer", True)

    client.post(f"/rules/{made.pk}/switch/", {"switch": "off", "back": "list"})
    made.refresh_from_db()
    assert not made.enabled


def test_what_is_wrong_names_its_field_and_keeps_what_was_typed(admin: User, product: Product) -> None:
    body = {**BODY, "when": {"property": "nothing", "op": ">", "value": 5}}
    answer = browser(admin).post("/rules/-/new/", {"name": "Warm", "body": json.dumps(body)})

    assert answer.status_code == 400
    assert "when.property" in words(answer.content)
    assert data_of(answer.content)["body"] == body
    assert not Rule.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "nonsense", "null", '"x"', "[" * 5000])
def test_a_body_that_is_none_is_refused(body: str, admin: User, product: Product) -> None:
    assert browser(admin).post("/rules/-/new/", {"name": "Warm", "body": body}).status_code == 400
    assert not Rule.objects.exists()


def test_every_edit_is_read(viewer: User, product: Product) -> None:
    answer = ask(viewer, "read", body={**BODY, "for": "0s"}).json()

    assert "".join(part[0] for part in answer["sentence"]).startswith("On any Cold room, when Temperature is above 5 °C")
    assert [problem["field"] for problem in answer["problems"]] == ["for"]


def test_nothing_but_a_body_is_read(viewer: User, product: Product) -> None:
    assert ask(viewer, "read", body=[]).status_code == 404
    assert ask(viewer, "read", body={"x": "y" * 70_000}).status_code == 404
    assert ask(viewer, "backtest").status_code == 404


def test_the_strip_says_what_of_the_past_is_known(viewer: User, product: Product, tenant: Tenant) -> None:
    make.make_device(tenant, product=product)
    found = ask(viewer, "backtest", body={**BODY, "trigger": "presence", "when": {"online": False}}).json()

    assert [line[0] for line in found["known"]] == [
        "Online and offline: nothing is known.",
        "What is not known is neither so nor not so: it raises nothing and clears nothing.",
    ]


def test_a_viewer_and_an_operator_only_look(tenant: Tenant, viewer: User, rule: Rule) -> None:
    for user in (viewer, make.make_member(tenant, Role.OPERATOR)):
        client = browser(user)
        assert client.get("/rules/-/new/").status_code == 403
        assert client.post(f"/rules/{rule.pk}/", {"name": "x", "body": json.dumps(BODY)}).status_code == 403
        assert client.post(f"/rules/{rule.pk}/delete/").status_code == 403
        assert client.post(f"/rules/{rule.pk}/switch/", {"switch": "off"}).status_code == 403
    rule.refresh_from_db()
    assert (rule.name, rule.enabled) == ("Warm", True)


def test_a_stranger_finds_nothing(stranger: User, rule: Rule) -> None:
    client = browser(stranger)

    assert "Warm" not in words(client.get("/rules/").content)
    for path in ("", "trace/"):
        assert client.get(f"/rules/{rule.pk}/{path}").status_code == 404
    assert client.post(f"/rules/{rule.pk}/delete/").status_code == 404
    assert data_of(client.get("/rules/-/new/").content)["products"] == []
    assert ask(stranger, "read", body=BODY).json()["problems"][0]["field"] == "scope.product"


def test_deleting_keeps_nothing_but_history(admin: User, rule: Rule) -> None:
    browser(admin).post(f"/rules/{rule.pk}/delete/")

    assert not Rule.objects.filter(pk=rule.pk).exists()


def test_a_hostile_name_is_text(admin: User, viewer: User, rule: Rule) -> None:
    rule.name = "</script><script>alert(1)</script>"
    rule.save()
    for path in ("/rules/", f"/rules/{rule.pk}/"):
        assert "<script>alert(1)" not in browser(viewer).get(path).content.decode()
