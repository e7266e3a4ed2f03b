"""Forwarders by REST: their whole life, what is refused, what is never shown, and a test message."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from iotpanel.tenants.models import Tenant, User
from rules.delivery import run
from rules.models import Forwarder, OutboxItem, Target
from rules.outbox import Promise, promise
from tests.make import make_device, make_group, make_product
from tests.rest import Rest, refused, results
from tests.rules.fakes import make_forwarder
from tests.rules.outside.web import Web

SECRET = "a-very-secret-token"


@pytest.fixture
def web(settings: Settings) -> Iterator[Web]:
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Web.running() as running:
        yield running


def body(web: Web | None = None, **overrides: Any) -> dict[str, Any]:
    url = web.url if web else "https://example.org/hook"
    return {"name": "Hook", "kind": "http", "settings": {"url": url, "token": SECRET}} | overrides


def test_a_forwarders_life(owner: User, web: Web) -> None:
    api = Rest(owner)
    created = api.post("forwarders/", body(web))
    assert created.status_code == 201, created.content
    shown = created.json()
    assert (shown["settings"], shown["secrets"]) == ({"url": web.url}, ["token"])
    assert (shown["enabled"], shown["stream"], shown["scope"], shown["template"]) == (True, "readings", {}, "")
    assert shown["health"]["state"] == "idle"
    address = f"forwarders/{shown['id']}/"
    assert api.get(address).json() == shown
    assert api.patch(address, {"enabled": False}).json()["enabled"] is False
    put = api.put(address, {"name": "Other", "kind": "http", "settings": {"url": web.url}}).json()
    assert (put["name"], put["enabled"], put["secrets"]) == ("Other", True, ["token"])
    assert api.delete(address).status_code == 204
    refused(api.get(address), 404, "not_found")


def test_an_inner_address_is_saved_where_the_operator_allowed_it_and_a_name_whatever_it_means(owner: User, settings: Settings) -> None:
    inner = body(settings={"url": "http://10.1.2.3/in"})
    assert "10.1.2.3" in refused(Rest(owner).post("forwarders/", inner), 400, "invalid")["settings.url"][0]
    settings.ALLOWED_NETWORKS = ["10.0.0.0/8"]
    assert Rest(owner).post("forwarders/", inner).status_code == 201
    named = body(name="Named", settings={"url": "http://database.internal/in"})
    assert Rest(owner).post("forwarders/", named).status_code == 201


def test_a_test_message_is_sent_now_and_answers_the_other_sides_words(owner: User, web: Web) -> None:
    api = Rest(owner)
    made = api.post("forwarders/", body(web)).json()
    web.answer = lambda asked: (200, b"nice to meet you", {})
    answer = api.post(f"forwarders/{made['id']}/test/").json()
    assert answer["ok"] is True
    assert answer["answer"] == "200 OK nice to meet you"
    assert web.asked[0].headers["authorization"] == f"Bearer {SECRET}"
    assert web.asked[0].json["values"] == {"temperature": 21.5}
    web.answer = lambda asked: (401, b"who are you?", {})
    answer = api.post(f"forwarders/{made['id']}/test/").json()
    assert (answer["ok"], answer["answer"]) == (False, "401 Unauthorized who are you?")
    history = api.get(f"forwarders/{made['id']}/deliveries/").json()
    assert [(row["ok"], row["test"]) for row in history] == [(False, True), (True, True)]
    assert SECRET not in api.get(f"forwarders/{made['id']}/deliveries/").content.decode()


def test_secrets_are_encrypted_and_never_shown(owner: User, web: Web) -> None:
    api = Rest(owner)
    made = api.post("forwarders/", body(web)).json()
    row = Forwarder.objects.get()
    assert SECRET not in str(row.__dict__)
    assert SECRET.encode() not in bytes(row.sealed)
    for answer in (api.get("forwarders/"), api.get(f"forwarders/{made['id']}/"), api.patch(f"forwarders/{made['id']}/", {"name": "x"})):
        assert SECRET not in answer.content.decode()


def test_secrets_do_not_go_along_to_another_address(owner: User, web: Web) -> None:
    api = Rest(owner)
    made = api.post("forwarders/", body(web)).json()
    moved = {"settings": {"url": "https://thief.example/"}}
    assert set(refused(api.patch(f"forwarders/{made['id']}/", moved), 400, "invalid")) == {"settings.token"}
    assert api.patch(f"forwarders/{made['id']}/", {"settings": {"url": "https://thief.example/", "token": "other"}}).status_code == 200
    without = api.patch(f"forwarders/{made['id']}/", {"settings": {"url": web.url, "token": None}})
    assert without.json()["secrets"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "carrier-pigeon"}, "kind"),
        ({"name": ""}, "name"),
        ({"name": "a\u0007"}, "name"),
        ({"stream": "rumours"}, "stream"),
        ({"settings": {}}, "settings.url"),
        ({"settings": {"url": "ftp://x"}}, "settings.url"),
        ({"settings": {"url": "http://127.0.0.1:9/in"}}, "settings.url"),
        ({"settings": {"url": "http://0x7f.1"}}, "settings.url"),
        ({"kind": "redis", "settings": {"host": "::1", "stream": "x"}}, "settings.host"),
        ({"kind": "kafka", "settings": {"servers": "kafka.example.org:9092,10.0.0.1:9092", "topic": "x"}}, "settings.servers"),
        ({"kind": "rocketmq", "settings": {"name_server": "localhost:9876", "topic": "x"}}, "settings.name_server"),
        ({"settings": {"url": "https://x.example", "colour": "red"}}, "settings"),
        ({"settings": {"url": "https://x.example", "headers": {"a b": "c"}}}, "settings.headers"),
        ({"settings": {"url": "https://x.example", "token": "with blank"}}, "settings.token"),
        ({"settings": []}, "settings"),
        ({"scope": {"planet": "Mars"}}, "scope"),
        ({"scope": {"product": "no-such"}}, "scope"),
        ({"scope": {"devices": ["no-such"]}}, "scope"),
        ({"scope": {"labels": {"a": 1}}}, "scope"),
        ({"template": "{{ device.key"}, "template"),
        ({"template": "{{ device.key | shout }}"}, "template"),
        ({"template": "{{ password }}"}, "template"),
        ({"kind": "mqtt", "settings": {"host": "x", "topic": "{{ nobody.key }}"}}, "settings.topic"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_saved(owner: User, change: dict[str, Any], field: str) -> None:
    assert set(refused(Rest(owner).post("forwarders/", body() | change), 400, "invalid")) == {field}
    assert not Forwarder.objects.exists()


def test_a_refused_secret_is_not_repeated(owner: User) -> None:
    answer = Rest(owner).post("forwarders/", body(settings={"url": "https://x.example", "token": "hush hush"}))
    assert "hush" not in answer.content.decode()


def test_a_scope_names_things_of_the_same_tenant(owner: User, tenant: Tenant, other_tenant: Tenant) -> None:
    make_product(tenant, key="climate")
    make_group(tenant, key="hall")
    make_device(other_tenant, key="theirs")
    api = Rest(owner)
    assert api.post("forwarders/", body(scope={"product": "climate", "group": "hall", "labels": {"floor": "2"}})).status_code == 201
    assert set(refused(api.post("forwarders/", body(name="b", scope={"devices": ["theirs"]})), 400, "invalid")) == {"scope"}


def test_a_taken_name_is_409_and_a_kind_is_for_good(owner: User) -> None:
    api = Rest(owner)
    made = api.post("forwarders/", body()).json()
    refused(api.post("forwarders/", body()), 409, "name_taken")
    assert set(refused(api.patch(f"forwarders/{made['id']}/", {"kind": "log"}), 400, "invalid")) == {"kind"}


def test_each_kind_shows_the_schema_of_its_settings(viewer: User) -> None:
    kinds = {row["kind"]: row for row in Rest(viewer).get("forwarders/kinds/").json()}
    assert {"http", "mqtt", "log"} <= set(kinds)
    assert kinds["http"]["schema"]["properties"]["token"]["writeOnly"] is True


def test_health_says_what_waits_and_why(owner: User, tenant: Tenant, web: Web) -> None:
    api = Rest(owner)
    made = api.post("forwarders/", body(web)).json()
    web.answer = lambda asked: (503, b"tea time", {})
    at = 1_767_225_600_000_000
    promise(
        [
            Promise(
                tenant.pk,
                "forwarder",
                made["id"],
                None,
                {"stream": "readings", "entries": [["room-1", at, {"t": 1}], ["room-2", at, {"t": 2}]]},
            )
        ]
    )
    run.deliver()
    health = api.get(f"forwarders/{made['id']}/").json()["health"]
    assert (health["state"], health["waiting"], health["failures"]) == ("down", 2, 1)
    assert health["last_error"] == "503 Service Unavailable tea time"
    assert health["paused_until"] is not None
    web.answer = lambda asked: (200, b"", {})
    api.patch(f"forwarders/{made['id']}/", {"name": "Awake"})  # who changes it wants it tried at once
    run.deliver()
    health = api.get(f"forwarders/{made['id']}/").json()["health"]
    assert (health["state"], health["waiting"], health["delivered"], health["lag_seconds"]) == ("ok", 0, 2, 0.0)
    assert [asked.json["device"] for asked in web.asked[-2:]] == ["room-1", "room-2"]
    assert not OutboxItem.objects.exists()


def test_what_was_given_up_is_put_back(owner: User, tenant: Tenant, web: Web) -> None:
    made = Rest(owner).post("forwarders/", body(web)).json()
    promise([Promise(tenant.pk, "forwarder", made["id"], None, {"stream": "readings", "entries": [["room-1", 1, {"t": 1}]]})])
    OutboxItem.objects.update(state="dead")
    assert Rest(owner).get(f"forwarders/{made['id']}/").json()["health"]["dead"] == 1
    assert Rest(owner).post(f"forwarders/{made['id']}/put-back/").json() == {"put_back": 1}
    run.deliver()
    assert len(web.asked) == 1


def test_a_forwarder_that_is_off_keeps_what_waits(owner: User, tenant: Tenant, web: Web) -> None:
    made = Rest(owner).post("forwarders/", body(web, enabled=False)).json()
    promise([Promise(tenant.pk, "forwarder", made["id"], None, {"stream": "readings", "entries": [["room-1", 1, {"t": 1}]]})])
    run.deliver()
    assert web.asked == []
    Rest(owner).patch(f"forwarders/{made['id']}/", {"enabled": True})
    run.deliver()
    assert len(web.asked) == 1


def test_a_viewer_reads_and_a_stranger_sees_nothing(viewer: User, stranger: User, tenant: Tenant) -> None:
    forwarder = make_forwarder(tenant)
    assert len(results(Rest(viewer).get("forwarders/"))) == 1
    refused(Rest(viewer).post("forwarders/", body()), 403, "permission_denied")
    refused(Rest(viewer).post(f"forwarders/{forwarder.pk}/test/"), 403, "permission_denied")
    assert results(Rest(stranger).get("forwarders/")) == []
    for answer in (Rest(stranger).get(f"forwarders/{forwarder.pk}/"), Rest(stranger).post(f"forwarders/{forwarder.pk}/test/")):
        refused(answer, 404, "not_found")


def test_another_tenants_promise_does_not_reach_a_forwarder(tenant: Tenant, other_tenant: Tenant, web: Web) -> None:
    forwarder = make_forwarder(tenant, kind="http", settings={"url": web.url})
    promise([Promise(other_tenant.pk, "forwarder", forwarder.pk, None, {"stream": "readings", "entries": [["x", 1, {}]]})])
    run.deliver()
    assert web.asked == []
    assert OutboxItem.objects.get().state == "dead"
    assert Target.objects.filter(tenant=tenant).get().delivered == 0


def test_all_values_can_be_sent_on_as_json(owner: User) -> None:
    """A template is tried with a sample at save, which has whatever it asks for."""
    for template in ('{"all": {{ values | json }}, "one": {{ values.t | round(1) }}}', "{{ values | json }}"):
        answer = Rest(owner).post("forwarders/", body(name=template, template=template))
        assert answer.status_code == 201, answer.content


def test_an_address_holds_no_password(owner: User) -> None:
    answer = Rest(owner).post("forwarders/", body(settings={"url": "https://user:secret@example.org/"}))
    assert "without a user name" in refused(answer, 400, "invalid")["settings.url"][0]
