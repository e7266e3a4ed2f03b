"""The browsers in which a person is told by push, on their account's page: made by the browser itself, listed, tried, removed."""

from collections.abc import Callable, Sequence
from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from iotpanel.api.errors import ApiError
from iotpanel.tenants.models import User
from rules.models import Browser
from rules.push import browsers, vapid


def context(user: User) -> dict[str, object]:
    """What the account's page shows of them."""
    return {"browsers": Browser.objects.for_user(user), "push_key": vapid.public_key() if vapid.is_set() else ""}


def _back() -> HttpResponseBase:
    return redirect(f"{reverse('account')}#browsers")


def _own(request: HttpRequest, pk: int) -> Browser:
    assert isinstance(request.user, User)
    return get_object_or_404(Browser.objects.for_user(request.user), pk=pk)


@require_POST
@login_required
def subscribe(request: HttpRequest) -> HttpResponseBase:
    """Asked by the page's script (js/push.js), which shows what is wrong."""
    answer = _taken_in(request, browsers.subscribe, ("endpoint", "p256dh", "auth"))
    if answer.status_code == HTTPStatus.CREATED:
        messages.success(request, _("You are told in this browser now"))
    return answer


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def renew(request: HttpRequest) -> HttpResponseBase:
    """Asked by the service worker when the browser replaces its subscription: what it needs for that, then the new one for the old."""
    if request.method == "POST":
        return _taken_in(request, browsers.replace, ("old", "endpoint", "p256dh", "auth"))
    return JsonResponse({"key": vapid.public_key() if vapid.is_set() else "", "token": get_token(request)})


def _taken_in(request: HttpRequest, verb: Callable[..., Browser], fields: Sequence[str]) -> JsonResponse:
    assert isinstance(request.user, User)
    given = {name: request.POST.get(name, "") for name in fields}
    try:
        made = verb(request.user, **given, agent=request.headers.get("User-Agent", ""))
    except ValidationError as error:
        words = [f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items()]
        return JsonResponse({"message": " ".join(words)}, status=400)
    except ApiError as error:
        return JsonResponse({"message": error.message}, status=error.status_code)
    return JsonResponse({"id": made.pk}, status=HTTPStatus.CREATED)


@require_POST
@login_required
def remove(request: HttpRequest, pk: int) -> HttpResponseBase:
    browsers.forget(_own(request, pk))
    messages.success(request, _("The browser was removed"))
    return _back()


@require_POST
@login_required
def test(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send a message now; the push service's words."""
    tried = browsers.send_test(_own(request, pk))
    words = _("Sent. The push service answered: %(answer)s") if tried.ok else _("Not sent: %(answer)s")
    messages.add_message(request, messages.SUCCESS if tried.ok else messages.ERROR, words % {"answer": tried.answer})
    return _back()


urlpatterns = [
    path("", subscribe, name="browser-subscribe"),
    path("renew/", renew, name="browser-renew"),
    path("<int:pk>/remove/", remove, name="browser-remove"),
    path("<int:pk>/test/", test, name="browser-test"),
]
