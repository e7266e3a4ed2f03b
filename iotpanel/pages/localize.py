"""A person's language and time zone, for the whole request."""

import zoneinfo
from collections.abc import Callable
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation

from iotpanel.tenants.models import User
from iotpanel.zones import ZONES

ZONE_COOKIE = "iotpanel_tz"


def zone_of(request: HttpRequest) -> zoneinfo.ZoneInfo:
    """The person's zone, else the browser's, else UTC; unknown names count as none."""
    chosen = request.user.time_zone if isinstance(request.user, User) else ""
    for name in (chosen, unquote(request.COOKIES.get(ZONE_COOKIE, ""))):
        if name in ZONES:
            return zoneinfo.ZoneInfo(name)
    return zoneinfo.ZoneInfo("UTC")


class Localize:
    """Middleware: what the person chose in their account wins over the browser's wishes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = request.user.language if isinstance(request.user, User) else ""
        if language and translation.check_for_language(language):
            translation.activate(language)
            request.LANGUAGE_CODE = translation.get_language() or language
        with timezone.override(zone_of(request)):
            return self.get_response(request)
