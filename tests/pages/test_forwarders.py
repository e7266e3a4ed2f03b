"""The pages of forwarders: made by a form, tried, paused, what was given up put back; secrets shown to nobody."""

from typing import Any

import pytest
from pytest_django import Settings

from iotpanel.tenants.models import Role, Tenant, User
from rules.adapter_settings import unseal
from rules.forwarders.records import target_of
from rules.models import Delivery, Forwarder, OutboxItem, Target
from tests import make
from tests.pages.people import browser, links, words
from tests.rules.fakes import make_forwarder

HTTP: dict[str, str] = {
    "name": "To the plant", "enabled": "on", "stream": "readings", "s.url": "https://bus.example.org/in", "s.token": "very-secret",
    "s.verify": "on", "s.method": "POST",
}  # fmt: skip


@pytest.fixture
def admin(tenant: Tenant) -> User:
    return make.make_member(tenant, Role.ADMIN)


def test_one_is_made_by_its_form_and_its_secret_is_shown_nowhere(admin: User, viewer: User, tenant: Tenant) -> None:
    client = browser(admin)
    assert "RocketMQ" in words(client.get("/forwarders/-/new/").content)
    made = client.post("/forwarders/-/new/?kind=http", HTTP | {"scope.labels": "floor: 2", "s.headers": "X-A: 1"}, follow=True)
    one = Forwarder.objects.for_tenant(tenant).get()

    assert (one.settings["headers"], one.scope, unseal(one.sealed, purpose="forwarder")) == (
        {"X-A": "1"}, {"labels": {"floor": "2"}}, {"token": "very-secret"},
    )  # fmt: skip
    pages = [made, *(browser(viewer).get(f"/forwarders/{path}") for path in ("", f"{one.pk}/")), client.get(f"/forwarders/{one.pk}/edit/")]
    assert not [page for page in pages if b"very-secret" in page.content]
    assert "One is set" in words(pages[-1].content)


def test_an_edit_keeps_the_secret_and_a_new_address_asks_for_it(admin: User, tenant: Tenant) -> None:
    client = browser(admin)
    client.post("/forwarders/-/new/?kind=http", HTTP)
    one = Forwarder.objects.for_tenant(tenant).get()
    quiet = {name: value for name, value in HTTP.items() if name != "s.token"}

    client.post(f"/forwarders/{one.pk}/edit/", quiet | {"name": "Renamed"})
    one.refresh_from_db()
    assert (one.name, unseal(one.sealed, purpose="forwarder")) == ("Renamed", {"token": "very-secret"})
    refused = client.post(f"/forwarders/{one.pk}/edit/", quiet | {"s.url": "https://elsewhere.example.org/"})
    assert refused.status_code == 400
    assert "The address has changed: give this again." in words(refused.content)
    one.refresh_from_db()
    assert one.settings["url"] == "https://bus.example.org/in"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "must not be empty"),
        ({"name": "Taken"}, "This name is taken"),
        ({"s.url": "ftp://x"}, "An address such as"),
        ({"s.url": "http://192.168.1.7/in"}, "192.168.1.7, which is no public address"),
        ({"template": "{{ nobody }}"}, "nobody"),
        ({"scope.product": "of-nobody"}, "There is no “of-nobody”"),
        ({"stream": "gossip"}, "Choose one of"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    change: dict[str, str], said: str, admin: User, tenant: Tenant
) -> None:
    make_forwarder(tenant, name="Taken")
    answer = browser(admin).post("/forwarders/-/new/?kind=http", HTTP | {"s.content_type": "text/plain"} | change)

    assert answer.status_code == 400
    assert said in words(answer.content)
    assert b"text/plain" in answer.content
    assert Forwarder.objects.count() == 1


def test_pausing_holds_what_comes_and_resuming_lets_it_go(admin: User, viewer: User, tenant: Tenant) -> None:
    one = make_forwarder(tenant)
    shown = browser(admin).post(f"/forwarders/{one.pk}/pause/", {"pause": "on"}, follow=True)
    assert target_of(one).held_at is not None
    assert "What comes meanwhile waits" in words(shown.content)
    assert "paused" in words(browser(viewer).get("/forwarders/").content)

    browser(admin).post(f"/forwarders/{one.pk}/pause/", {"pause": "off"})
    assert target_of(one).held_at is None


def test_a_test_message_shows_the_other_sides_answer(admin: User, tenant: Tenant, settings: Settings) -> None:
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    one, wrong = make_forwarder(tenant), make_forwarder(tenant, kind="http", settings={"url": "http://127.0.0.1:9/"})
    settings.ALLOWED_NETWORKS = []
    assert "1 written" in words(browser(admin).post(f"/forwarders/{one.pk}/test/").content)
    fragment = browser(admin).post(f"/forwarders/{wrong.pk}/test/", headers={"HX-Request": "true"})

    assert "Not taken" in words(fragment.content)
    assert "no public address" in words(fragment.content)
    assert b"<html" not in fragment.content
    assert Delivery.objects.filter(test=True).count() == 2


def test_health_says_what_the_other_side_said(viewer: User, tenant: Tenant) -> None:
    one = make_forwarder(tenant)
    Target.objects.filter(pk=target_of(one).pk).update(failures=3, last_error="550 <b>no such user</b>", delivered=12_345)
    shown = browser(viewer).get(f"/forwarders/{one.pk}/health/")

    assert "Down: 3 attempts in a row" in words(shown.content)
    assert "12,345" in words(shown.content)
    assert b"<b>no such user" not in shown.content


def dead(one: Forwarder, **entry: Any) -> OutboxItem:
    target = target_of(one)
    from_entries = {"stream": "readings", "entries": [["room-1", 1_000_000, {"t": 5}]]} | entry
    return OutboxItem.objects.create(
        tenant=one.tenant, kind="forwarder", target=target.target, payload=from_entries, state="dead", attempts=6,
        due_at=one.created_at, created_at=one.created_at, last_error="poison",
    )  # fmt: skip


def test_what_was_given_up_is_tried_again_one_or_all(tenant: Tenant) -> None:
    one, operator = make_forwarder(tenant), make.make_member(tenant, Role.OPERATOR)
    first, second, third = dead(one), dead(one), dead(make_forwarder(tenant))
    client = browser(operator)
    assert "room-1" in words(client.get(f"/forwarders/{one.pk}/").content)

    client.post(f"/forwarders/{one.pk}/retry/", {"item": first.pk})
    assert set(OutboxItem.objects.filter(state="dead")) == {second, third}
    client.post(f"/forwarders/{one.pk}/retry/", {"item": third.pk})  # another forwarder's
    client.post(f"/forwarders/{one.pk}/retry/", {"item": "9" * 30})
    assert set(OutboxItem.objects.filter(state="dead")) == {second, third}
    client.post(f"/forwarders/{one.pk}/retry/")
    assert set(OutboxItem.objects.filter(state="dead")) == {third}


def test_deleting_takes_what_waits_along(admin: User, tenant: Tenant) -> None:
    one = make_forwarder(tenant)
    dead(one)
    browser(admin).post(f"/forwarders/{one.pk}/delete/")

    assert not Forwarder.objects.exists()
    assert not OutboxItem.objects.exists()


VERBS = ("pause", "test", "retry", "delete")


def test_a_viewer_sees_and_changes_nothing(viewer: User, tenant: Tenant) -> None:
    one = make_forwarder(tenant, name="<script>alert(1)</script>")
    client = browser(viewer)
    page = client.get(f"/forwarders/{one.pk}/")

    assert page.status_code == 200
    assert b"<script>alert(1)" not in page.content + client.get("/forwarders/").content
    assert not {link for link in links(page.content) if "edit" in link or "admin/rules" in link}
    assert [client.post(f"/forwarders/{one.pk}/{verb}/").status_code for verb in VERBS] == [403] * 4
    assert [client.get(f"/forwarders/{path}").status_code for path in ("-/new/", f"{one.pk}/edit/")] == [403, 403]


def test_a_stranger_finds_nothing(stranger: User, tenant: Tenant) -> None:
    one = make_forwarder(tenant, name="Hidden")
    client = browser(stranger)

    assert "Hidden" not in words(client.get("/forwarders/").content)
    assert [client.get(f"/forwarders/{one.pk}/{path}").status_code for path in ("", "health/", "edit/")] == [404] * 3
    assert [client.post(f"/forwarders/{one.pk}/{verb}/").status_code for verb in VERBS] == [404] * 4
    assert Forwarder.objects.filter(pk=one.pk).exists()
