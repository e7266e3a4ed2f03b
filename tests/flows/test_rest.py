"""REST through the real web server: what only a real server shows."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterator

import httpx

from tests.flows.platform import Platform
from tests.services import eventually


def test_a_device_that_talks_http_is_in_the_answer_at_once(platform: Platform) -> None:
    account = platform.device()
    answer = platform.services.client().post("/api/v1/device/telemetry", json={"n": 21.5}, auth=(account.key, account.secret))
    assert answer.status_code == 200, answer.text
    assert platform.latest(account) == {"n": 21.5}
    assert platform.is_online(account)


def test_frames_are_recorded_while_somebody_looks(platform: Platform) -> None:
    account = platform.device()
    assert platform.get(f"devices/{account.key}/frames/")["results"] == []
    with platform.connect(account) as device:

        def seen() -> list[str]:
            device.say("telemetry", {"n": 1})
            return [frame["verdict"] for frame in platform.get(f"devices/{account.key}/frames/")["results"]]

        assert "stored" in eventually(seen)


def test_a_signed_request_with_a_percent_sign_in_its_path(platform: Platform) -> None:
    made = platform.post("api-keys/", {"name": "Signed", "role": "owner"})
    path, ts, nonce = "/api/v1/members/a%2Bb/", str(int(time.time() * 1000)), secrets.token_urlsafe(16)
    text = "\n".join(["GET", path, "", hashlib.sha256(b"").hexdigest(), ts, nonce])
    sig = hmac.new(made["signing_secret"].encode(), text.encode(), hashlib.sha256).hexdigest()
    header = f"HMAC id={made['prefix']}, ts={ts}, nonce={nonce}, sig={sig}"
    signed = httpx.Request("GET", str(platform.http.base_url.join(path)), headers={"Authorization": header})
    with httpx.Client() as client:
        assert client.send(signed).status_code == 404  # signed in, and nobody is called so
        assert client.send(signed).status_code == 401  # the same nonce again


def test_a_body_without_a_length_has_an_end_too(platform: Platform) -> None:
    account = platform.device()

    def endless() -> Iterator[bytes]:
        for _part in range(40):
            yield b" " * 100_000

    answer = platform.services.client().post("/api/v1/device/telemetry", content=endless(), auth=(account.key, account.secret))
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


def test_a_long_file_comes_in_one_stream(platform: Platform) -> None:
    account = platform.device()
    backfill = [{"ts": 1_790_000_000_000 + number, "values": {"n": number}} for number in range(12_000)]
    for start in range(0, len(backfill), 4_000):
        body = backfill[start : start + 4_000]
        answer = platform.services.client().post("/api/v1/device/telemetry", json=body, auth=(account.key, account.secret))
        assert answer.json()["stored"] == 4_000, answer.text
    with platform.http.stream("GET", f"/api/v1/devices/{account.key}/readings/", params={"format": "csv", "order": "at"}) as answer:
        lines = list(answer.iter_lines())
    assert len(lines) == 12_001
    assert lines[-1].endswith(",11999")
