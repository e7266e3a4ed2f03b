"""Errors from outside of every view: JSON for programs, a page for people."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest
from django.test import Client

from iotpanel import faults
from iotpanel.tenants.models import User

pytestmark = pytest.mark.django_db
SHAPE = {"code", "message", "details"}


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


def signed_in(visitor: Client, owner: User, monkeypatch: pytest.MonkeyPatch, error: Exception) -> Client:
    """Somebody with a session, in the moment when sessions cannot be read any more."""
    visitor.force_login(owner)

    def fail(*_args: Any) -> None:
        raise error

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fail)
    return visitor


@pytest.mark.parametrize("path", ["/api/v1/devices/", "/api/v1/me/", "/api/v1/nothing/", "/api/v1/auth/token/"])
def test_a_foreign_host_is_told_so_in_the_apis_shape(visitor: Client, path: str) -> None:
    answer = visitor.get(path, headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")
    assert answer.json().keys() == SHAPE


def test_a_foreign_host_gets_a_page_elsewhere(visitor: Client) -> None:
    answer = visitor.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "could not be understood" in answer.content.decode()


@pytest.mark.parametrize("path", ["/api/v1/a%0Ab/", "/api/%0A"])
def test_an_address_that_no_pattern_knows_has_the_shape(visitor: Client, path: str) -> None:
    answer = visitor.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_without_the_database_a_session_gets_json(visitor: Client, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(visitor, owner, monkeypatch, OperationalError("gone"))
    for path in ("/api/v1/me/", "/api/v1/devices/", "/api/v1/nothing/"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.json().keys() == SHAPE


def test_without_the_database_a_person_sees_why(visitor: Client, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = signed_in(visitor, owner, monkeypatch, OperationalError("gone")).get("/devices/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "The database does not answer" in answer.content.decode()


def test_a_fault_shows_nothing_of_its_inside(visitor: Client, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(visitor, owner, monkeypatch, RuntimeError("hunter2"))
    answer = client.get("/api/v1/me/")
    assert (answer.status_code, answer.json()["code"]) == (500, "error")
    page = client.get("/devices/")
    assert page.status_code == 500
    assert "hunter2" not in answer.content.decode() + page.content.decode()


@pytest.mark.parametrize(("answer", "status"), [(faults.denied, 403), (faults.not_found, 404)])
def test_programs_and_people_are_told_apart(rf: Any, answer: Callable[..., Any], status: int) -> None:
    request: HttpRequest = rf.get("/broker/auth")
    told = answer(request, PermissionDenied() if status == 403 else Http404())
    assert (told.status_code, told.headers["Content-Type"]) == (status, "application/json")
