"""Turns whatever a view raises into the one shape of an error."""

import logging
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from .errors import ApiError, TooLarge, Unavailable

log = logging.getLogger(__name__)
NOT_ABOUT_A_FIELD = "non_field_errors"


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER: never None, so that a fault of ours has the shape too."""
    known = _known(error)
    if known is None:
        known = _fault(error, context)
    headers = _headers(known)
    return Response(body(known), status=known.status_code, headers=headers)


def answer(error: Exception) -> JsonResponse:
    """The same for what fails outside of the API's views: in a middleware, or before any view was found. It logs no fault."""
    known = _known(error) or exceptions.APIException(_("Something went wrong on our side. It has been logged."))
    return JsonResponse(body(known), status=known.status_code, headers=_headers(known))


def body(error: exceptions.APIException) -> dict[str, Any]:
    """`{"code", "message", "details"}` of an error."""
    if isinstance(error, ApiError):
        return {"code": error.code, "message": str(error.message), "details": error.details}
    if isinstance(error, exceptions.ValidationError):
        return {"code": "invalid", "message": _first(error.detail), "details": _named(error.detail)}
    code = error.get_codes()
    return {"code": code if isinstance(code, str) else error.default_code, "message": str(error.detail), "details": None}


def _known(error: Exception) -> exceptions.APIException | None:
    """The API's error for one that a view may raise on purpose; None: a fault."""
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, DjangoValidationError):
        return exceptions.ValidationError(_of_django(error))
    if isinstance(error, RequestDataTooBig):
        return TooLarge("too_large", _("The body is too large."))
    if isinstance(error, SuspiciousOperation):
        return exceptions.ParseError()
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("the database does not answer: %s", error)
        return Unavailable(_("The database does not answer. Try again soon."))
    return None


def _fault(error: Exception, context: dict[str, Any]) -> exceptions.APIException:
    """A fault of ours: logged whole, told to whoever listens (tests, monitors), and shown without its text."""
    request = getattr(context.get("request"), "_request", None)
    log.error("a request failed: %s", type(error).__name__, exc_info=error)
    got_request_exception.send(sender=handle, request=request)
    return exceptions.APIException(_("Something went wrong on our side. It has been logged."))


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(max(1, round(wait)))
    return headers


def _of_django(error: DjangoValidationError) -> Any:
    if hasattr(error, "error_dict"):
        return {(NOT_ABOUT_A_FIELD if name == NON_FIELD_ERRORS else name): texts for name, texts in error.message_dict.items()}
    return {NOT_ABOUT_A_FIELD: error.messages}


def _named(detail: Any) -> Any:
    """Details with a name for each text, whatever shape they came in."""
    if isinstance(detail, list) and all(isinstance(entry, str) for entry in detail):
        return {NOT_ABOUT_A_FIELD: detail}
    return detail


def _first(detail: Any, path: str = "") -> str:
    """The first complaint as a sentence that names its field: `thing_model.0.type: ...`."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()), ("", ""))
        step = "" if name == NOT_ABOUT_A_FIELD else str(name)
        return _first(inner, ".".join(part for part in (path, step) if part))
    if isinstance(detail, list):
        index, inner = next(((index, entry) for index, entry in enumerate(detail) if entry), (0, ""))
        return _first(inner, path if isinstance(inner, str) else f"{path}.{index}")
    return f"{path}: {detail}" if path else str(detail)
