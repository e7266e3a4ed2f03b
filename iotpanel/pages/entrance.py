"""Where people come in: one door, with its second step, for the pages and the admin alike."""

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path


def sign_in(request: HttpRequest) -> HttpResponseBase:
    """The admin's own sign-in knows neither lock-out nor second step: everybody uses the pages' one."""
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next", "/admin/"))


def _no_such_page(request: HttpRequest, rest: str = "") -> HttpResponseBase:
    raise Http404


# Parts of allauth that are no use here: addresses are kept by administrators, and no mail means no reset.
closed: list[URLPattern] = [path("accounts/email/", _no_such_page), path("accounts/3rdparty/", _no_such_page)]
if not settings.EMAIL_URL:
    closed += [path("accounts/password/reset/", _no_such_page), path("accounts/password/reset/<path:rest>", _no_such_page)]
