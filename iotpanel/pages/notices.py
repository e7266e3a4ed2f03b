"""Notices: the bell's list, the page with all of them, and what a person has seen."""

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from iotpanel.pages.paging import page, read_cursor
from iotpanel.tenants.web import TenantRequest, tenant_page
from rules import notices
from rules.models import Notice

RECENT = 10


def _seen(request: TenantRequest) -> set[int]:
    """Those that this person has not seen, of the newest."""
    return set(notices.unread(request.tenant, request.user).order_by("-pk").values_list("pk", flat=True)[:500])


@tenant_page()
def recent(request: TenantRequest) -> HttpResponseBase:
    """The newest, for the bell."""
    rows = list(Notice.objects.for_tenant(request.tenant).order_by("-pk")[:RECENT])
    return render(request, "notices/recent.html", {"rows": rows, "unread": _seen(request)})


@tenant_page()
def notice_list(request: TenantRequest) -> HttpResponseBase:
    """All of them, newest first."""
    found: Any = Notice.objects.for_tenant(request.tenant)
    shown = page(found, "-at", read_cursor(request.GET.get("cursor", "")))
    newest = found.order_by("-pk").values_list("pk", flat=True).first()
    return render(
        request, "notices/list.html", {"page": shown, "rows": shown.rows, "unread": _seen(request), "newest": newest, "here": "?"}
    )


@require_POST
@tenant_page()
def seen(request: TenantRequest) -> HttpResponseBase:
    """This person has seen all up to `up_to`; for nobody else anything changes."""
    up_to = request.POST.get("up_to", "")
    if up_to.isdecimal() and len(up_to) < 19:
        notices.mark_seen(request.tenant, request.user, up_to=int(up_to))
    return recent(request) if request.htmx else redirect("notices")


urlpatterns = [
    path("", notice_list, name="notices"),
    path("recent/", recent, name="notices-recent"),
    path("seen/", seen, name="notices-seen"),
]
