"""Logs: structured, tied together by request, and without secrets."""

import json
import subprocess
import sys
from typing import Any

import pytest
import structlog
from django.http import HttpRequest, HttpResponse
from django.test import Client
from structlog.testing import LogCapture

from iotpanel import requests
from iotpanel.logs import MASK, mask, masked
from iotpanel.requests import RequestLog
from iotpanel.tenants.models import User
from tests.make import PASSWORD

SCRIPT = """
import logging, structlog
from iotpanel import logs
logs.configure({"level": "INFO", "format": FORMAT})
structlog.get_logger("ours").info("stored", reports=3, password="hunter2", url="redis://user:hunter2@host/0")
logging.getLogger("theirs").warning("connecting to %s", "amqp://guest:hunter2@host")
logging.getLogger("theirs").debug("not shown")
try:
    raise ValueError("Bearer hunter2")
except ValueError:
    logging.getLogger("theirs").exception("it failed")
"""


def said(form: str) -> str:
    """What a process that logs in this form writes to stderr, which is no terminal here."""
    script = SCRIPT.replace("FORMAT", repr(form))
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stderr


@pytest.mark.parametrize("form", ["json", ""])
def test_away_from_a_terminal_each_line_is_an_object(form: str) -> None:
    lines = [json.loads(line) for line in said(form).splitlines()]
    assert [(line["logger"], line["level"], line["event"]) for line in lines] == [
        ("ours", "info", "stored"),
        ("theirs", "warning", f"connecting to amqp://guest:{MASK}@host"),
        ("theirs", "error", "it failed"),
    ]
    assert lines[0]["reports"] == 3
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert "ValueError" in lines[2]["exception"]


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_secret_is_written_in_any_form(form: str) -> None:
    output = said(form)
    assert "stored" in output
    assert "hunter2" not in output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://iotpanel:pa%20ss@127.0.0.1:5432/db", f"postgres://iotpanel:{MASK}@127.0.0.1:5432/db"),
        ("redis://:pass@host/0", f"redis://:{MASK}@host/0"),
        ("http://host:8000/path", "http://host:8000/path"),
        ("Authorization: Bearer abc.def-1", f"Authorization: Bearer {MASK}"),
        ("Basic dXNlcjpwYXNz", f"Basic {MASK}"),
        ("the key iot_0123456789_abcDEF-_x was used", f"the key iot_0123456789_{MASK} was used"),
        ("devices/basic-1/up/telemetry", "devices/basic-1/up/telemetry"),
    ],
)
def test_secrets_within_texts_are_masked_and_the_rest_is_left_alone(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_values_are_masked_by_their_names_at_any_depth() -> None:
    event: dict[str, Any] = {"event": "x", "api_key": "k", "headers": {"Authorization": "a", "path": "/p"}, "device": "d"}
    assert mask(None, "", event) == {"event": "x", "api_key": MASK, "headers": {"Authorization": MASK, "path": "/p"}, "device": "d"}


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is logged through structlog, with the request's context."""
    # A logger keeps the configuration of its first use, which may have been another test's.
    monkeypatch.setattr(requests, "log", structlog.get_logger("iotpanel.requests"))
    capture = LogCapture()
    before = structlog.get_config()["processors"]
    before_copy = list(before)
    before[:] = [structlog.contextvars.merge_contextvars, capture]
    yield capture.entries
    before[:] = before_copy


def answer(request: HttpRequest) -> HttpResponse:
    structlog.get_logger("view").info("looked", found=True)
    return HttpResponse(status=204)


def make_request(path: str = "/devices/", **headers: str) -> HttpRequest:
    request = HttpRequest()
    request.method, request.path = "GET", path
    request.META = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    request.META["QUERY_STRING"] = "token=hunter2"
    return request


def test_everything_that_a_request_causes_has_its_id(captured: list[Any]) -> None:
    response = RequestLog(answer)(make_request())
    request_id = response["X-Request-ID"]
    assert len(request_id) == 32
    assert [(entry["event"], entry["request_id"]) for entry in captured] == [("looked", request_id), ("request", request_id)]
    assert "hunter2" not in repr(captured)


def test_a_proxys_id_is_kept_if_it_looks_like_one() -> None:
    assert RequestLog(answer)(make_request(x_request_id="proxy-12345678"))["X-Request-ID"] == "proxy-12345678"
    for odd in ("short", "x" * 65, 'evil"\ninjected: line', "päth-12345678"):
        assert RequestLog(answer)(make_request(x_request_id=odd))["X-Request-ID"] != odd


def test_probes_and_files_are_not_logged(captured: list[Any]) -> None:
    for path in ("/healthz", "/metrics", "/static/iotpanel/css/tokens.css"):
        RequestLog(answer)(make_request(path))
    assert [entry["event"] for entry in captured] == ["looked"] * 3


@pytest.mark.django_db
def test_the_log_names_the_person_and_never_their_password(client: Client, owner: User, captured: list[Any]) -> None:
    client.post("/api/v1/auth/token/", {"username": owner.username, "password": PASSWORD}, content_type="application/json")
    client.force_login(owner)
    client.get("/api/v1/me/?password=hunter2")
    first, second = [entry for entry in captured if entry["event"] == "request"]
    assert (first["path"], first["status"]) == ("/api/v1/auth/token/", 200)
    assert (second["path"], second["user"]) == ("/api/v1/me/", owner.username)
    assert "hunter2" not in repr(captured)
    assert PASSWORD not in repr(captured)
