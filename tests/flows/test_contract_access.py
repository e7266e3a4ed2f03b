"""Who may do what on the running platform: tenants, roles, keys, signatures, and what ends with a credential."""

import json
import secrets
import socket
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.flows.platform import Account, Platform
from tests.services import eventually


class People(NamedTuple):
    viewer: httpx.Client
    operator: httpx.Client
    stranger: httpx.Client  # an owner, of another tenant


def sign_in(platform: Platform, role: str, tenant: str) -> httpx.Client:
    """A new person's own client."""
    name, password = f"{role}-{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    body = {"username": name, "role": role, "password": password}
    made = platform.http.post("/api/v1/members/", json=body, headers={"X-Tenant": tenant})
    assert made.status_code == 201, made.text
    client = platform.services.client()
    token = client.post("/api/v1/auth/token/", json={"username": name, "password": password}).json()["token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return client


@pytest.fixture(scope="module")
def people(platform: Platform) -> Iterator[People]:
    key = f"other-{secrets.token_hex(4)}"
    platform.post("tenants/", {"key": key, "name": "Other"})
    yield People(sign_in(platform, "viewer", "default"), sign_in(platform, "operator", "default"), sign_in(platform, "owner", key))
    # Who is administrator of two tenants has to name one: the other flows begin with one.
    assert platform.http.delete(f"/api/v1/tenants/{key}/").status_code == 204


@pytest.fixture(scope="module")
def account(platform: Platform) -> Account:
    made = platform.device(name="<script>alert(1)</script>")
    with platform.connect(made) as device:
        device.say("telemetry", {"n": 1})
    eventually(lambda: platform.latest(made))
    return made


def test_a_strangers_every_question_is_404(people: People, account: Account) -> None:
    for rest in ("", "latest/", "readings/", "readings/?format=csv", "events/", "attributes/", "frames/"):
        assert people.stranger.get(f"/api/v1/devices/{account.key}/{rest}").status_code == 404
    for method, rest in (("PATCH", ""), ("DELETE", ""), ("POST", "rotate/")):
        assert people.stranger.request(method, f"/api/v1/devices/{account.key}/{rest}", json={}).status_code == 404
    assert people.stranger.get("/api/v1/devices/").json()["results"] == []
    assert people.stranger.get("/api/v1/devices/", headers={"X-Tenant": "default"}).status_code == 403


def test_a_viewer_only_reads(people: People, account: Account) -> None:
    assert people.viewer.get(f"/api/v1/devices/{account.key}/latest/").status_code == 200
    writes = [
        ("POST", "devices/", {"key": "v", "product": "v"}),
        ("PATCH", f"devices/{account.key}/", {"name": "v"}),
        ("DELETE", f"devices/{account.key}/", None),
        ("POST", f"devices/{account.key}/rotate/", None),
        ("POST", "groups/", {"key": "v", "name": "v"}),
        ("POST", "dead-letters/replay/", {"device": account.key}),
        ("GET", "members/", None),
        ("GET", "api-keys/", None),
    ]
    for method, path, body in writes:
        answer = people.viewer.request(method, f"/api/v1/{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied"), path
    answer = people.operator.post("/api/v1/dead-letters/replay/", json={"device": account.key})
    assert (answer.status_code, answer.json()) == (200, {"replayed": 0, "failed": 0})


def test_a_persons_account_cannot_be_taken_over_by_another_tenant(platform: Platform, people: People) -> None:
    name = people.viewer.get("/api/v1/me/").json()["username"]
    taken = people.stranger.post("/api/v1/members/", json={"username": name, "role": "viewer", "password": secrets.token_urlsafe(16)})
    assert (taken.status_code, taken.json()["details"].keys()) == (400, {"username"})
    assert people.viewer.get("/api/v1/me/").json()["tenants"] == [{"key": "default", "name": "Default", "role": "viewer"}]


def test_a_key_opens_what_its_scopes_name_and_nothing_once_deleted(platform: Platform) -> None:
    made = platform.post("api-keys/", {"name": "Reader", "role": "owner", "scopes": ["devices:read"]})
    client = platform.services.client(headers={"Authorization": f"Bearer {made['key']}"})
    asked = [client.get(f"/api/v1/{path}").status_code for path in ("devices/", "products/", "members/")]
    assert asked == [200, 403, 403]
    assert client.post("/api/v1/devices/", json={}).status_code == 403
    assert platform.http.delete(f"/api/v1/api-keys/{made['id']}/").status_code == 204
    assert client.get("/api/v1/devices/").status_code == 401


def test_who_has_several_tenants_names_one(platform: Platform, people: People) -> None:
    client = platform.services.client(headers={"Authorization": platform.http.headers["Authorization"]})
    answer = client.get("/api/v1/devices/")
    assert (answer.status_code, answer.json()["code"]) == (400, "tenant_required")


def test_ten_wrong_passwords_lock_the_name_also_for_the_right_one(platform: Platform) -> None:
    name, password = f"locked-{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    platform.post("members/", {"username": name, "role": "viewer", "password": password})
    client = platform.services.client()

    def try_it(word: str) -> httpx.Response:
        return client.post("/api/v1/auth/token/", json={"username": name, "password": word})

    assert [try_it("wrong").status_code for _ in range(9)] == [401] * 9
    try_it("wrong")
    answer = try_it(password)
    assert (answer.status_code, answer.json()["code"]) == (429, "locked")
    assert int(answer.headers["Retry-After"]) > 0


def open_live(platform: Platform, query: str = "?tenant=default", **options: Any) -> Any:
    return connect(f"{platform.services.url.replace('http', 'ws')}/ws/live/{query}", **options)


def test_the_live_connection_wants_a_credential_and_a_sessions_own_origin(platform: Platform) -> None:
    client = platform.services.client(follow_redirects=True)
    client.get("/accounts/login/")
    form = {"login": "admin", "password": platform.services.password, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
    client.post("/accounts/login/", data=form)
    cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}
    refused: list[dict[str, Any]] = [
        {},
        {"subprotocols": ["bearer.wrong"]},
        {"additional_headers": cookie},
        {"additional_headers": cookie, "origin": "http://evil.example"},
        {"additional_headers": cookie, "origin": "null"},
    ]
    for options in refused:
        with pytest.raises(InvalidStatus), open_live(platform, **options):
            pass
    with open_live(platform, additional_headers=cookie, origin=platform.services.url) as live:
        live.send(json.dumps({"subscribe": {"devices": []}}))
        assert json.loads(live.recv(timeout=10))["type"] == "subscribed"


def test_a_stranger_hears_nothing_live(platform: Platform, people: People, account: Account) -> None:
    token = people.stranger.headers["Authorization"].partition(" ")[2]
    with open_live(platform, query="", subprotocols=[f"bearer.{token}"]) as live:
        live.send(json.dumps({"subscribe": {"devices": [account.key]}}))
        assert json.loads(live.recv(timeout=10)) == {"type": "subscribed", "devices": [], "refused": [account.key]}
        answer = platform.services.client(auth=tuple(account)).post("/api/v1/device/telemetry", json={"n": 2})
        assert answer.status_code == 200
        with pytest.raises((TimeoutError, ConnectionClosed)):
            live.recv(timeout=1)


def test_a_strangers_guesses_at_the_broker_change_nothing(platform: Platform) -> None:
    made, marker, nobody = platform.device(), platform.device(), f"nobody-{secrets.token_hex(4)}"
    with platform.connect(made) as device, platform.connect(marker) as other:
        device.say("telemetry", {"n": 1})
        eventually(lambda: platform.is_online(made))
        for key in (made.key, nobody):
            with pytest.raises(ConnectionRefusedError):
                platform.connect(Account(key, "wrong"))
        with socket.create_connection(("127.0.0.1", platform.services.mqtt_port)) as scanner:
            scanner.sendall(b"GET / HTTP/1.0\r\n\r\n")
        other.say("telemetry", {"n": 1})
        eventually(lambda: platform.latest(marker))
        assert platform.is_online(made)
    letters = platform.get("dead-letters/", reason="unknown_device", limit=500)["results"]
    assert not {letter["device"] for letter in letters} & {nobody, "<unknown>"}


def test_a_retained_message_is_old_news_after_a_restart(platform: Platform) -> None:
    made = platform.device()
    with platform.connect(made) as device:
        device.client.publish(made.topic("telemetry"), b'{"n": 1}', qos=1, retain=True).wait_for_publish(10)
        eventually(lambda: platform.latest(made) == {"n": 1})
        platform.services.restart("uplink")
        device.say("telemetry", {"ts": int(time.time() * 1000), "values": {"n": 2}})
    eventually(lambda: 2 in [value for _, value in platform.readings(made)], 30)
    assert sorted(value for _, value in platform.readings(made)) == [1, 2]
