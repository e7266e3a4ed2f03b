"""Errors of the running web server: one shape for programs whatever goes wrong, and never a page."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.flows.platform import Platform
from tests.services import eventually

SHAPE = {"code", "message", "details"}


def shaped(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json"), answer.text[:300]
    body: dict[str, Any] = answer.json()
    assert body.keys() == SHAPE
    assert body["message"]
    return body


@pytest.fixture
def person(platform: Platform) -> Iterator[httpx.Client]:
    """The administrator in a browser: a session instead of a token."""
    with platform.services.client(follow_redirects=True) as client:
        client.get("/accounts/login/")
        form = {"login": "admin", "password": platform.services.password, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        client.post("/accounts/login/", data=form)
        assert client.get("/api/v1/me/").status_code == 200
        yield client


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "devices/nobody/", b"", 404),
        ("GET", "nothing/", b"", 404),
        ("GET", "devices/a%0Ab/", b"", 404),
        ("GET", "devices/%00/", b"", 404),
        ("GET", "devices/" + "a" * 4_000 + "/", b"", 404),
        ("GET", "devices/?cursor=x", b"", 400),
        ("GET", "devices/?limit=0", b"", 400),
        ("GET", "devices/?search=%00", b"", 400),
        ("GET", "dead-letters/?since=yesterday", b"", 400),
        ("PUT", "devices/", b"{}", 405),
        ("POST", "devices/", b"{nope", 400),
        ("POST", "devices/", b"[" * 100_000, 400),
        ("POST", "devices/", b'{"key": "a", "product": "\\u0000"}', 400),
        ("POST", "devices/", b'{"key": "a", "product": "\\ud800"}', 400),
        ("POST", "devices/", b" " * 20_000_000, 413),
    ],
)
def test_what_is_wrong_is_said_in_one_shape(platform: Platform, method: str, path: str, body: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json"} if body else {}
    shaped(platform.http.request(method, f"/api/v1/{path}", content=body, headers=headers), status)


def test_a_wrong_field_is_named(platform: Platform) -> None:
    answer = platform.http.post("/api/v1/devices/", json={"key": "a/b", "product": platform.product()})
    assert shaped(answer, 400)["details"].keys() == {"key"}


def test_a_foreign_host_name_is_no_fault_of_ours(platform: Platform) -> None:
    shaped(platform.services.client().get("/api/v1/devices/", headers={"Host": "evil.example"}), 400)
    assert platform.services.client().get("/", headers={"Host": "evil.example"}).status_code == 400


def test_a_session_needs_the_token_of_its_forms_and_our_origin(platform: Platform, person: httpx.Client) -> None:
    group = {"key": "csrf", "name": "csrf"}
    headers = {"X-CSRFToken": person.cookies["csrftoken"], "X-Tenant": "default"}
    shaped(person.post("/api/v1/groups/", json=group), 403)
    shaped(person.post("/api/v1/groups/", json=group, headers={**headers, "Origin": "http://evil.example"}), 403)
    assert person.post("/api/v1/groups/", json=group, headers=headers).status_code == 201


def test_without_the_database_programs_get_json_and_people_a_page(platform: Platform, person: httpx.Client) -> None:
    account = platform.device()
    device = platform.services.client(auth=tuple(account))
    stranger = platform.services.client()
    platform.services.stop("postgres")
    try:
        for client in (platform.http, person):
            for path in ("me/", "devices/", f"devices/{account.key}/readings/?format=csv"):
                assert shaped(client.get(f"/api/v1/{path}"), 503)["code"] == "unavailable"
        shaped(device.post("/api/v1/device/telemetry", json={"n": 1}), 503)
        shaped(stranger.post("/api/v1/auth/token/", json={"username": "admin", "password": "x"}), 503)
        page = person.get("/devices/")
        assert (page.status_code, page.headers["Content-Type"].split(";")[0]) == (503, "text/html")
        assert int(page.headers["Retry-After"]) > 0
        assert stranger.get("/healthz").status_code == 200
    finally:
        platform.services.start("postgres")
    eventually(platform.serves, 60)
    assert device.post("/api/v1/device/telemetry", json={"n": 2}).status_code == 200
    assert person.get("/devices/").status_code == 200


def test_a_device_is_told_which_of_its_reports_was_refused(platform: Platform) -> None:
    client = platform.services.client(auth=tuple(platform.device()))
    answer = client.post("/api/v1/device/telemetry", json=[{"n": 1}, {"n": "x"}, 5]).json()
    assert (answer["stored"], [problem["index"] for problem in answer["problems"]]) == (1, [1, 2])
    body = shaped(client.post("/api/v1/device/telemetry", content=b"nope"), 422)
    assert (body["code"], body["details"]["problems"][0]["index"]) == ("not_json", None)


def test_a_wrong_topic_is_its_own_devices_dead_letter(platform: Platform) -> None:
    account = platform.device()
    with platform.connect(account) as device:
        device.say("nonsense", {"n": 1})
        device.say("events/has blank", b"{}")
    letters = eventually(lambda: found if len(found := platform.letters(account)) == 2 else [])
    assert {letter["reason"] for letter in letters} == {"unknown_topic"}
    assert sorted(base64.b64decode(letter["payload_base64"]) for letter in letters) == [json.dumps({"n": 1}).encode(), b"{}"]
