"""The small addresses behind every page's frame: tenant, language, manifest, the page for people without a tenant."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.http import require_POST

from iotpanel.tenants.models import Tenant, User
from iotpanel.tenants.web import SESSION_KEY, current_tenant


def next_address(request: HttpRequest) -> str:
    """Where a form asked to go afterwards, if that is on this host; else the overview."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else "/"


@require_POST
@login_required
def switch_tenant(request: HttpRequest) -> HttpResponseBase:
    """Work in another tenant of one's own from now on."""
    mine = Tenant.objects.for_user(request.user)  # type: ignore[arg-type]
    request.session[SESSION_KEY] = get_object_or_404(mine, key=request.POST.get("tenant", "")).key
    return redirect(next_address(request))


@require_POST
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Remember the language: in a cookie, and with the account of those who are signed in."""
    response = redirect(next_address(request))
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES) or not check_for_language(language):
        return response
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(language=language)
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=31_536_000, samesite="Lax", secure=settings.HTTPS)
    return response


@login_required
def no_tenant(request: HttpRequest) -> HttpResponseBase:
    """Somebody signed in who is not a member of any tenant."""
    if current_tenant(request):
        return redirect("overview")
    return render(request, "no_tenant.html")


def manifest(request: HttpRequest) -> HttpResponse:
    """What a browser needs to install the pages as an app."""
    sizes = ("192", "512")
    icons = [{"src": static(f"iotpanel/icons/app-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"} for size in sizes]
    content = {
        "name": "iotpanel",
        "short_name": "iotpanel",
        "start_url": "/",
        "display": "standalone",
        "background_color": "#f6f8fa",
        "theme_color": "#2a5dbf",
        "icons": icons,
    }
    return JsonResponse(content, content_type="application/manifest+json")
