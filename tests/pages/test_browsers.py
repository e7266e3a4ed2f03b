"""The account's page, where a person says in which browsers they are told; and the form of the channel that tells them."""

import pytest
from django.test import Client
from pytest_django import Settings

from iotpanel.tenants.models import Role, Tenant, User
from rules.models import Browser, Channel
from rules.push import vapid
from tests import make
from tests.pages.people import browser, words
from tests.rules.fakes import AUTH, POINT, make_browser

SENT = {"endpoint": "https://push.example.org/abc", "p256dh": POINT, "auth": AUTH}
AGENT = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"}


@pytest.fixture(autouse=True)
def key(settings: Settings) -> None:
    settings.VAPID_KEY = "a secret of this installation, made once"


def test_a_browser_is_taken_in_listed_and_removed(viewer: User) -> None:
    client = browser(viewer)
    before = client.get("/account/").content
    assert f'data-key="{vapid.public_key()}"' in before.decode()
    assert "Notify me in this browser" in words(before)

    assert client.post("/account/browsers/", SENT, headers=AGENT).status_code == 201
    made, shown = Browser.objects.get(), client.get("/account/").content
    assert (made.person, made.name) == (viewer, "Firefox · Linux")
    assert "Firefox · Linux" in words(shown)
    assert f'data-browser="{made.digest}"' in shown.decode()
    assert made.endpoint not in shown.decode()
    assert client.post(f"/account/browsers/{made.pk}/remove/")["Location"] == "/account/#browsers"
    assert not Browser.objects.exists()


def test_what_is_wrong_is_said_to_the_script(viewer: User) -> None:
    answer = browser(viewer).post("/account/browsers/", SENT | {"endpoint": "http://10.0.0.1/", "auth": "x"})
    assert answer.status_code == 400
    assert {"endpoint:", "auth:"} <= set(answer.json()["message"].split())
    make_browser(make.make_user(), endpoint=SENT["endpoint"], auth="AAAAAAAAAAAAAAAAAAAAAA")
    assert browser(viewer).post("/account/browsers/", SENT).json()["message"] == "This endpoint belongs to another browser."


def test_a_new_subscription_takes_the_place_of_the_old(viewer: User) -> None:
    """As the service worker does it: it asks for the token, and what waits goes to the new endpoint."""
    client = Client(enforce_csrf_checks=True)
    make.sign_in(client, viewer)
    before = make_browser(viewer, endpoint=SENT["endpoint"])
    told = client.get("/account/browsers/renew/")
    assert (told.json()["key"], "no-store" in told["Cache-Control"]) == (vapid.public_key(), True)
    new = SENT | {"old": SENT["endpoint"], "endpoint": "https://push.example.org/new"}
    assert client.post("/account/browsers/renew/", new).status_code == 403  # without the token
    for _ in range(2):
        answer = client.post("/account/browsers/renew/", new | {"csrfmiddlewaretoken": told.json()["token"]}, headers=AGENT)
        assert (answer.status_code, answer.json()) == (201, {"id": before.pk})
    made = Browser.objects.get()
    assert (made.pk, made.endpoint, made.person, made.name) == (before.pk, new["endpoint"], viewer, "Firefox · Linux")
    assert f'data-browser="{made.digest}"' in client.get("/account/").content.decode()


@pytest.mark.parametrize("old", ["https://push.example.org/abc", "https://push.example.org/nobodys", "", "\u202e\x00", "x" * 100_000])
def test_nothing_takes_the_place_of_anothers_or_nobodys(viewer: User, owner: User, stranger: User, old: str) -> None:
    made = make_browser(viewer, endpoint=SENT["endpoint"])
    new = SENT | {"old": old, "endpoint": "https://push.example.org/new"}
    for person in (owner, stranger):
        answer = browser(person).post("/account/browsers/renew/", new)
        assert (answer.status_code, answer.json()["message"]) == (409, "You are not told in this browser.")
    assert "/accounts/login/" in Client().post("/account/browsers/renew/", new)["Location"]
    assert "/accounts/login/" in Client().get("/account/browsers/renew/")["Location"]
    assert Browser.objects.get().endpoint == made.endpoint


def test_a_hostile_new_subscription_changes_nothing(viewer: User, owner: User) -> None:
    made = make_browser(viewer, endpoint=SENT["endpoint"])
    make_browser(owner, endpoint="https://push.example.org/owners", auth="AAAAAAAAAAAAAAAAAAAAAA")
    client, given = browser(viewer), SENT | {"old": SENT["endpoint"]}
    assert client.post("/account/browsers/renew/", given | {"endpoint": "http://10.0.0.1/"}).status_code == 400
    assert client.post("/account/browsers/renew/", given | {"auth": "x"}).status_code == 400
    assert client.post("/account/browsers/renew/", given | {"endpoint": "https://push.example.org/owners"}).status_code == 409
    assert client.put("/account/browsers/renew/").status_code == 405
    assert Browser.objects.get(pk=made.pk).endpoint == made.endpoint


def test_a_failed_test_message_says_why(viewer: User, settings: Settings) -> None:
    settings.VAPID_KEY = ""
    made = make_browser(viewer)
    shown = browser(viewer).post(f"/account/browsers/{made.pk}/test/", follow=True).content
    assert "Not sent: No key for web push is set up (IOTPANEL_VAPID_KEY)." in words(shown)
    assert "the operator has set up no key" in words(shown)


def test_nobody_touches_anothers(viewer: User, owner: User, stranger: User) -> None:
    made = make_browser(viewer)
    for person in (owner, stranger):
        assert "Firefox" not in words(browser(person).get("/account/").content)
        for verb in ("remove", "test"):
            assert browser(person).post(f"/account/browsers/{made.pk}/{verb}/").status_code == 404
    assert browser(viewer).get(f"/account/browsers/{made.pk}/remove/").status_code == 405
    assert "/accounts/login/" in Client().post("/account/browsers/", SENT)["Location"]
    assert Browser.objects.count() == 1


def test_a_channel_names_roles_by_boxes_and_people_by_lines(tenant: Tenant) -> None:
    client = browser(make.make_member(tenant, Role.ADMIN))
    form = {"name": "Push", "enabled": "on", "group_wait": "0", "group_interval": "0"}
    wrong = client.post("/channels/-/new/?kind=web_push", form | {"s.roles.viewer": "on", "s.people": "nobody"})
    assert wrong.status_code == 400
    assert "“nobody” is no member." in words(wrong.content)
    assert 'name="s.roles.viewer" checked' in wrong.content.decode()
    assert "must not be empty" in words(client.post("/channels/-/new/?kind=web_push", form).content)

    shown = client.post("/channels/-/new/?kind=web_push", form | {"s.roles.viewer": "on", "s.roles.owner": "on"}, follow=True)
    assert Channel.objects.get().settings == {"roles": ["viewer", "owner"]}
    assert "Everybody who is Viewer Owner" in words(shown.content)
