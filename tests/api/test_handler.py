"""Every error in the one shape, whatever raised it."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions

from iotpanel.api import errors
from iotpanel.api.handler import handle


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "permission_denied"),
        (DjangoValidationError("no"), 400, "invalid"),
        (SuspiciousOperation("no"), 400, "parse_error"),
        (RequestDataTooBig("no"), 413, "too_large"),
        (OperationalError("gone"), 503, "unavailable"),
        (exceptions.MethodNotAllowed("GET"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("x"), 415, "unsupported_media_type"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (errors.Conflict("in_use", "It is used."), 409, "in_use"),
        (errors.Forbidden("mine", "Mine."), 403, "mine"),
        (errors.Unprocessable("not_json", "No JSON."), 422, "not_json"),
        (errors.TooMany("throttled", "Wait.", 12.4), 429, "throttled"),
        (RuntimeError("secret"), 500, "error"),
    ],
)
def test_the_shape(error: Exception, status: int, code: str) -> None:
    answer = handle(error, {})
    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert set(answer.data) == {"code", "message", "details"}
    assert "secret" not in str(answer.data)


@pytest.mark.parametrize(
    ("error", "message", "details"),
    [
        (DjangoValidationError({"name": ["Too long."], "key": ["Bad."]}), "name: Too long.", {"name": ["Too long."], "key": ["Bad."]}),
        (DjangoValidationError({"__all__": ["Together wrong."]}), "Together wrong.", {"non_field_errors": ["Together wrong."]}),
        (DjangoValidationError("Wrong."), "Wrong.", {"non_field_errors": ["Wrong."]}),
        (exceptions.ValidationError(["Wrong."]), "Wrong.", {"non_field_errors": ["Wrong."]}),
        (exceptions.ValidationError({"a": [{}, {"b": ["Deep."]}]}), "a.1.b: Deep.", {"a": [{}, {"b": ["Deep."]}]}),
    ],
)
def test_the_message_names_the_first_field(error: Exception, message: str, details: Any) -> None:
    answer = handle(error, {})
    assert (answer.data["message"], answer.data["details"]) == (message, details)


@pytest.mark.parametrize(("wait", "header"), [(12.4, "12"), (0.2, "1")])
def test_waiting_is_said_in_seconds(wait: float, header: str) -> None:
    assert handle(errors.TooMany("throttled", "Wait.", wait), {})["Retry-After"] == header
