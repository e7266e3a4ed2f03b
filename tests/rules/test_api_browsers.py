"""One's own browsers over REST: taken in with everything about them checked, and nobody else's business."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from iotpanel.tenants.models import Role, Tenant, User
from rules.models import Browser
from rules.push import browsers
from tests.make import make_api_key, make_superuser
from tests.rest import Rest, refused, results
from tests.rules.fakes import AUTH, POINT, make_browser
from tests.rules.outside.web import Web

ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc:def"
SENT: dict[str, Any] = {"endpoint": ENDPOINT, "expirationTime": None, "keys": {"p256dh": POINT, "auth": AUTH}}


@pytest.fixture
def web(settings: Settings) -> Iterator[Web]:
    settings.ALLOWED_NETWORKS, settings.VAPID_KEY = ["127.0.0.0/8"], "a secret of this installation, made once"
    with Web.running() as running:
        running.answer = lambda asked: (201, b"", {})
        yield running


def test_a_viewer_has_browsers_and_changes_no_channel(viewer: User) -> None:
    api = Rest(viewer)
    made = api.post("me/browsers/", SENT)
    assert made.status_code == 201
    assert set(made.json()) == {"id", "name", "digest", "created_at", "used_at"}
    (row,) = results(api.get("me/browsers/"))
    assert row == made.json()
    assert api.post("channels/", {"name": "x", "kind": "web_push", "settings": {"roles": ["viewer"]}}).status_code == 403
    assert api.delete(f"me/browsers/{row['id']}/").status_code == 204
    assert results(api.get("me/browsers/")) == []


def test_the_key_to_subscribe_with_is_told(viewer: User, settings: Settings) -> None:
    settings.VAPID_KEY = "a secret of this installation, made once"
    assert len(Rest(viewer).get("me/browsers/key/").json()["key"]) == 87
    settings.VAPID_KEY = ""
    assert Rest(viewer).get("me/browsers/key/").json() == {"key": ""}


def test_they_are_ones_own(owner: User, viewer: User, stranger: User) -> None:
    theirs = make_browser(viewer)
    for person in (owner, stranger, make_superuser()):
        api = Rest(person)
        assert results(api.get("me/browsers/")) == []
        assert api.post(f"me/browsers/{theirs.pk}/test/").status_code == 404
        assert api.delete(f"me/browsers/{theirs.pk}/").status_code == 404
    assert Browser.objects.count() == 1


def test_an_api_key_is_nobody(tenant: Tenant) -> None:
    api = Rest(bearer=make_api_key(tenant, role=Role.OWNER)[1])
    refused(api.get("me/browsers/"), 403, "permission_denied")
    refused(api.post("me/browsers/", SENT), 403, "permission_denied")


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.org/abc",
        "https://10.0.0.1/abc",
        "https://127.0.0.1/abc",
        "https://[::1]/abc",
        "https://[::ffff:169.254.169.254]/abc",
        "https://2130706433/abc",
        "https://0x7f.1/abc",
        "https://localhost/abc",
        "https://database/abc",
        "https://me.localhost/abc",
        "https://user:word@push.example.org/abc",
        "https://push.example.org:99999/abc",
        "https://push.example.org/a b",
        "https://push.example.org/\u202eabc",
        "https://push.example.org/\r\nHost: x",
        "https://",
        "ftp://push.example.org/abc",
        "javascript:alert(1)",
        f"https://push.example.org/{'a' * 10_000}",
        "",
        5,
        None,
    ],
)
def test_a_hostile_endpoint_is_named(endpoint: Any, viewer: User, settings: Settings) -> None:
    settings.ALLOWED_NETWORKS = []
    answer = Rest(viewer).post("me/browsers/", SENT | {"endpoint": endpoint})
    assert answer.status_code == 400, answer.content
    assert "endpoint" in answer.json()["details"]
    assert not Browser.objects.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("p256dh", "x"),
        ("p256dh", POINT[:-4]),
        ("p256dh", base64.urlsafe_b64encode(b"\x04" + b"\x01" * 64).decode()),
        ("p256dh", base64.urlsafe_b64encode(b"\x02" * 65).decode()),
        ("p256dh", "!" * 87),
        ("p256dh", "A" * 10_000),
        ("auth", AUTH + "AAAA"),
        ("auth", ""),
        ("auth", "ä" * 22),
        ("auth", ["a"]),
    ],
)
def test_hostile_keys_are_named(name: str, value: Any, viewer: User) -> None:
    answer = Rest(viewer).post("me/browsers/", SENT | {"keys": SENT["keys"] | {name: value}})
    assert answer.status_code == 400, answer.content
    assert name in answer.json()["details"]["keys"]
    assert not Browser.objects.exists()


def test_what_the_operator_allowed_may_be_reached_without_tls(viewer: User, settings: Settings) -> None:
    settings.ALLOWED_NETWORKS = ["10.0.0.0/8"]
    assert Rest(viewer).post("me/browsers/", SENT | {"endpoint": "http://10.1.2.3:8080/push"}).status_code == 201
    assert Rest(viewer).post("me/browsers/", SENT | {"endpoint": "http://11.1.2.3/push"}).status_code == 400


def test_the_same_browser_again_is_the_same(viewer: User) -> None:
    api = Rest(viewer)
    first, again = api.post("me/browsers/", SENT), api.post("me/browsers/", SENT)
    assert first.json()["id"] == again.json()["id"]
    assert Browser.objects.count() == 1


def test_at_most_twenty_and_the_known_ones_can_be_renewed(viewer: User, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    assert browsers.MOST == 20
    monkeypatch.setattr(browsers, "MOST", 2)
    api = Rest(viewer)
    for number in range(2):
        assert api.post("me/browsers/", SENT | {"endpoint": f"{ENDPOINT}{number}"}).status_code == 201
    refused(api.post("me/browsers/", SENT), 409, "too_many")
    assert api.post("me/browsers/", SENT | {"endpoint": f"{ENDPOINT}1"}).status_code == 201
    assert Rest(owner).post("me/browsers/", SENT).status_code == 201


def test_a_browser_goes_to_who_sits_at_it_and_to_nobody_who_only_knows_its_address(viewer: User, owner: User) -> None:
    """Only the browser itself has both keys; whoever guessed or found an endpoint has not."""
    made = make_browser(viewer, endpoint=ENDPOINT)
    other = base64.urlsafe_b64encode(b"other-secret-16b").decode()
    refused(Rest(owner).post("me/browsers/", SENT | {"keys": {"p256dh": POINT, "auth": other}}), 409, "taken")
    assert Browser.objects.get().person == viewer

    assert Rest(owner).post("me/browsers/", SENT).status_code == 201
    assert Browser.objects.get().person == owner
    assert Browser.objects.get().pk != made.pk  # with nothing left that waited for who sat there before


def test_a_test_message_is_answered_in_the_push_services_words(viewer: User, web: Web) -> None:
    made = make_browser(viewer, endpoint=f"{web.url}/push")
    api = Rest(viewer)
    said = api.post(f"me/browsers/{made.pk}/test/").json()
    assert (said["ok"], said["answer"]) == (True, "201 Created")

    web.answer = lambda asked: (500, b"oh no", {})
    assert api.post(f"me/browsers/{made.pk}/test/").json()["answer"].startswith("500")
    web.answer = lambda asked: (410, b"expired", {})
    assert "expired" in api.post(f"me/browsers/{made.pk}/test/").json()["answer"]
    assert not Browser.objects.exists()


def test_they_go_with_their_person(viewer: User) -> None:
    make_browser(viewer)
    viewer.delete()
    assert not Browser.objects.exists()
