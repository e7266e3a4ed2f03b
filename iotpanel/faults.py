"""What is answered where no view could: the API's shape below the addresses of programs, a page elsewhere."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views import defaults

from iotpanel.api import handler

FOR_PROGRAMS = ("/api/", "/broker/")
WAIT = "5"  # seconds until it is worth trying again
# Pages are rendered without the request: what a frame asks of it would fail a second time.


def not_understood(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """400: a host name that is not ours, a body that is too large for a form."""
    return handler.answer(exception) if for_programs(request) else render(None, "400.html", status=400)


def denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """403 from outside of a view."""
    return handler.answer(exception) if for_programs(request) else defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """404 of an address that no pattern knows."""
    return handler.answer(exception) if for_programs(request) else defaults.page_not_found(request, exception)


def failed(request: HttpRequest) -> HttpResponseBase:
    """500, or 503 while the database is away: sessions and accounts are looked up before any view runs."""
    error = sys.exc_info()[1]
    if for_programs(request):
        return handler.answer(error if isinstance(error, Exception) else Exception())
    if isinstance(error, OperationalError | InterfaceError):
        page = render(None, "503.html", status=503)
        page.headers["Retry-After"] = WAIT
        return page
    return defaults.server_error(request)


def for_programs(request: HttpRequest) -> bool:
    """Whether a program asks, which wants JSON whatever happens."""
    return request.path.startswith(FOR_PROGRAMS)
