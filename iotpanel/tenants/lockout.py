"""Ten wrong passwords lock name and address together for 15 minutes, at the sign-in page and at the API alike."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from iotpanel.api.errors import TooMany
from iotpanel.api.handler import body


def locked() -> TooMany:
    wait = settings.AXES_COOLOFF_TIME.total_seconds()
    return TooMany("locked", _("Too many wrong passwords. Try again in 15 minutes."), wait)


def answer(request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, Any] | None = None) -> HttpResponse:
    """AXES_LOCKOUT_CALLABLE: what who is locked out gets to see."""
    error = locked()
    headers = {"Retry-After": str(round(error.wait))}
    if request.path.startswith("/api/"):
        return JsonResponse(body(error), status=error.status_code, headers=headers)
    shown = render(request, "account/locked.html", {"message": error.message}, status=error.status_code)
    shown["Retry-After"] = headers["Retry-After"]
    return shown
