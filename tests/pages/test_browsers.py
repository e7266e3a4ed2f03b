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
