"""Devices that talk HTTP: who may, what is answered, and that nothing is lost."""

import base64
from typing import Any

import orjson
import pytest
from django.test import Client

from devices import provisioning
from devices.exceptions import Unavailable
from devices.models import Device, DevicePresence
from iotpanel.tenants.models import Tenant
from telemetry.models import Attribute, DeadLetterRecord, Event, ReportRow
from telemetry.uplink.memory import memory
from tests.make import make_device, make_device_with_secret, make_product
from tests.rest import refused

MODEL = {"properties": [{"key": "temperature", "type": "number", "max": 85}]}
SCRIPT = "function decode(payload, topic, meta) return {byte = string.byte(payload), port = meta.port} end"


class Board:
    """A device with its own credentials."""

    def __init__(self, tenant: Tenant, **product: Any) -> None:
        memory().forget()
        self.device, self.secret = make_device_with_secret(tenant, key="room-1", product=make_product(tenant, **product))

    def basic(self, secret: str | None = None) -> str:
        return "Basic " + base64.b64encode(f"room-1:{secret or self.secret}".encode()).decode()

    def post(self, path: str, body: Any, authorization: str | None = None, content_type: str = "application/json") -> Any:
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        headers = {"Authorization": authorization or self.basic()}
        return Client().generic("POST", f"/api/v1/device/{path}", raw, content_type=content_type, headers=headers)


@pytest.fixture
def board(tenant: Tenant) -> Board:
    return Board(tenant, key="climate", thing_model=MODEL)


def values(device: Device) -> list[Any]:
    return list(ReportRow.objects.filter(device_id=device.pk).order_by("at").values_list("values", flat=True))


def test_telemetry_is_stored_when_the_answer_comes(board: Board) -> None:
    answer = board.post("telemetry", {"temperature": 21.5})
    assert answer.status_code == 200, answer.content
    assert answer.json() == {"received": 1, "stored": 1, "duplicate": 0, "rejected": 0, "dead_lettered": 0, "heartbeats": 0, "problems": []}
    assert values(board.device) == [{"temperature": 21.5}]
    assert DevicePresence.objects.get(device=board.device).online


def test_key_and_secret_may_come_as_a_bearer(board: Board) -> None:
    assert board.post("telemetry", {"temperature": 1}, f"Bearer room-1:{board.secret}").status_code == 200


def test_a_list_is_a_backfill_and_again_is_a_duplicate(board: Board) -> None:
    body = [{"ts": 1_767_268_800_000 + number, "values": {"temperature": number}} for number in range(3)]
    assert board.post("telemetry", body).json()["stored"] == 3
    assert board.post("telemetry", body).json()["duplicate"] == 3


def test_attributes_events_and_status(board: Board) -> None:
    assert board.post("attributes", {"firmware": "1.2"}).json()["stored"] == 1
    assert board.post("events/door", {"params": {"open": True}}).json()["stored"] == 1
    assert board.post("status", b"offline", content_type="text/plain").status_code == 200
    assert Attribute.objects.get().value == "1.2"
    assert Event.objects.get().name == "door"
    assert not DevicePresence.objects.get(device=board.device).online


def test_raw_bytes_go_through_the_codec_with_their_port(tenant: Tenant) -> None:
    board = Board(tenant, key="radio", codec_kind="lua", codec_script=SCRIPT)
    assert board.post("raw/7", b"\x15", content_type="application/octet-stream").status_code == 200
    assert board.post("raw", b"\x16", content_type="text/html").status_code == 200
    assert values(board.device) == [{"byte": 21, "port": 7}, {"byte": 22}]


def test_a_gateway_speaks_for_its_children(tenant: Tenant, board: Board) -> None:
    child = make_device(tenant, key="child", product=board.device.product, parent=board.device)
    assert board.post("gateway/telemetry", {"child": {"temperature": 5}}).json()["stored"] == 1
    assert values(child) == [{"temperature": 5}]


def test_what_is_not_accepted_is_422_with_the_reason_and_kept(board: Board) -> None:
    details = refused(board.post("telemetry", {"temperature": 900}), 422, "out_of_range")
    assert (details["received"], details["dead_lettered"]) == (1, 1)
    assert details["problems"][0]["reason"] == "out_of_range"
    assert details["problems"][0]["index"] is None
    refused(board.post("telemetry", b"\xff\x00"), 422, "not_json")
    assert [bytes(letter.payload) for letter in DeadLetterRecord.objects.order_by("pk")] == [b'{"temperature":900}', b"\xff\x00"]


def test_good_neighbours_of_a_bad_report_are_stored(board: Board) -> None:
    answer = board.post("telemetry", [{"temperature": 900}, {"temperature": 20}])
    assert answer.status_code == 200
    assert (answer.json()["stored"], answer.json()["dead_lettered"]) == (1, 1)
    assert [problem["reason"] for problem in answer.json()["problems"]] == ["out_of_range"]


def test_a_problem_says_which_report_of_the_list_it_was(board: Board) -> None:
    body = [{"temperature": 1}, {"temperature": 900}, 5, {"temperature": 2}]
    assert [problem["index"] for problem in board.post("telemetry", body).json()["problems"]] == [1, 2]
    events = [{"params": {}}, {"nonsense": 1}]
    assert [problem["index"] for problem in board.post("events/opened", events).json()["problems"]] == [1]


def test_a_problem_says_which_report_of_the_frame_it_was(tenant: Tenant) -> None:
    script = "function decode() return {{values = {n = 1}}, {ts = 1, values = {n = 2}}} end"
    answer = Board(tenant, key="radio", codec_kind="lua", codec_script=script).post("raw", b"x", content_type="application/octet-stream")
    assert [problem["index"] for problem in answer.json()["problems"]] == [1]


def test_an_empty_report_is_a_heartbeat(board: Board) -> None:
    assert board.post("telemetry", {}).json()["heartbeats"] == 1


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic " + base64.b64encode(b"room-1:wrong").decode(),
        "Basic " + base64.b64encode(b"nobody:x").decode(),
        "Basic %%%",
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Bearer room-1",
        "Bearer room-1:",
        "Bearer a\u00e9:b",
        "Digest x",
        "",
    ],
)
def test_a_wrong_secret_is_401(board: Board, authorization: str) -> None:
    client = Client()
    headers = {"Authorization": authorization} if authorization else {}
    answer = client.post("/api/v1/device/telemetry", b"{}", content_type="application/json", headers=headers)
    refused(answer, 401, "authentication_failed")
    assert answer["WWW-Authenticate"].startswith("Basic")
    assert not ReportRow.objects.exists()


def test_wrong_secrets_are_throttled_by_address(board: Board, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.THROTTLE = True
    monkeypatch.setattr("iotpanel.api.throttling.PER_ADDRESS", 0)
    refused(board.post("telemetry", {}, board.basic("wrong")), 429, "throttled")
    assert board.post("telemetry", {"temperature": 1}).status_code == 200


def test_a_disabled_or_revoked_device_is_401(board: Board) -> None:
    provisioning.update_device(board.device, enabled=False)
    refused(board.post("telemetry", {"temperature": 1}), 401, "authentication_failed")
    provisioning.update_device(board.device, enabled=True)
    provisioning.revoke_credentials(board.device)
    refused(board.post("telemetry", {"temperature": 1}), 401, "authentication_failed")


def test_a_device_speaks_for_itself_only(tenant: Tenant, board: Board) -> None:
    other = make_device(tenant, key="other")
    refused(board.post("events/../../other/up/telemetry", {"temperature": 1}), 404, "not_found")
    refused(board.post("gateway/telemetry", {"other": {"temperature": 1}}), 422, "wrong_device")
    assert values(other) == []


@pytest.mark.parametrize("path", ["events/a b", "events/" + "x" * 65, "gateway/nothing", "gateway/gateway/telemetry"])
def test_an_unknown_kind_is_400(board: Board, path: str) -> None:
    refused(board.post(path, {}), 400, "unknown_topic")


def test_a_message_of_megabytes_is_413(board: Board) -> None:
    refused(board.post("telemetry", b"[" + b" " * 1_000_001), 413, "too_large")
    assert not DeadLetterRecord.objects.exists()


def test_a_store_that_is_down_is_503_and_to_be_sent_again(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(batch: Any) -> None:
        raise Unavailable("the database is down")

    monkeypatch.setattr("telemetry.api.device_door.process", down)
    answer = board.post("telemetry", {"temperature": 1})
    refused(answer, 503, "unavailable")
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post(board: Board, method: str) -> None:
    answer = Client().generic(method, "/api/v1/device/telemetry", headers={"Authorization": board.basic()})
    refused(answer, 405, "method_not_allowed")


def test_a_device_is_nobody_elsewhere(board: Board) -> None:
    for authorization in (board.basic(), f"Bearer room-1:{board.secret}"):
        answer = Client().get("/api/v1/devices/", headers={"Authorization": authorization})
        assert answer.status_code == 401
