"""Maintenance windows: while somebody works on devices, their alarms are kept out of sight and nobody is called."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from iotpanel.tenants.models import Role
from iotpanel.tenants.validation import Problems
from iotpanel.tenants.web import TenantRequest, tenant_page
from rules import mutes
from rules.maintenance_end import by_maintenance, end_maintenance
from rules.models import Alarm, Maintenance

from .moments import for_input, read_instant
from .scope_form import read_scope, scope_form, scope_words

PAST = 30
USUAL = timedelta(hours=2)


@tenant_page()
def windows(request: TenantRequest) -> HttpResponseBase:
    """Those that last, those that come, and the last ones that are over."""
    mine, now = Maintenance.objects.for_tenant(request.tenant), timezone.now()
    groups = [
        ("now", _("Now"), mine.filter(starts_at__lte=now, ends_at__gt=now).order_by("ends_at")),
        ("soon", _("To come"), mine.filter(starts_at__gt=now).order_by("starts_at")),
        ("over", _("Over"), mine.filter(ends_at__lte=now).order_by("-ends_at")[:PAST]),
    ]
    shown = [(name, label, [(each, scope_words(request.tenant, each.scope)) for each in found]) for name, label, found in groups]
    silenced = by_maintenance(Alarm.objects.for_tenant(request.tenant).active()).count()
    return render(request, "maintenance/list.html", {"groups": [group for group in shown if group[2]], "silenced": silenced})


@tenant_page(Role.ADMIN)
def new(request: TenantRequest) -> HttpResponseBase:
    """A window from now on, for two hours where nothing else is said."""
    if request.method == "POST":
        return _save(request, None)
    now = timezone.now()
    return _form(request, None, {"name": "", "starts_at": for_input(now), "ends_at": for_input(now + USUAL)})


@tenant_page(Role.ADMIN)
def edit(request: TenantRequest, pk: int) -> HttpResponseBase:
    found = _own(request, pk)
    if request.method == "POST":
        return _save(request, found)
    return _form(request, found, {"name": found.name, "starts_at": for_input(found.starts_at), "ends_at": for_input(found.ends_at)})


def _own(request: TenantRequest, pk: int) -> Maintenance:
    found: Maintenance = get_object_or_404(Maintenance.objects.for_tenant(request.tenant), pk=pk)
    return found


def _save(request: TenantRequest, found: Maintenance | None) -> HttpResponseBase:
    sent, problems = request.POST.dict(), Problems()
    values: dict[str, Any] = {"name": sent.get("name", ""), "scope": read_scope(sent)}
    for field in ("starts_at", "ends_at"):
        with problems.of(field):
            values[field] = read_instant(sent.get(field, ""))
    try:
        problems.raise_any()
        if found is None:
            mutes.create_maintenance(request.tenant, **values)
        else:
            mutes.update_maintenance(found, **values)
    except ValidationError as error:
        wrong = {name: " ".join(texts) for name, texts in error.message_dict.items()}
        return _form(request, found, {name: sent.get(name, "") for name in ("name", "starts_at", "ends_at")}, wrong)
    messages.success(request, _("“%(name)s” is saved") % {"name": values["name"]})
    return redirect("maintenance")


def _form(
    request: TenantRequest, found: Maintenance | None, values: dict[str, str], problems: dict[str, str] | None = None
) -> HttpResponseBase:
    sent = request.POST.dict() if problems else None
    scope = scope_form(request.tenant, found.scope if found and sent is None else {}, sent)
    about_scope = " ".join(text for name, text in (problems or {}).items() if name.startswith("scope"))
    context = {"one": found, "values": values, "scope": scope, "problems": problems or {}, "about_scope": about_scope}
    return render(request, "maintenance/form.html", context, status=400 if problems else 200)


@require_POST
@tenant_page(Role.ADMIN)
def end(request: TenantRequest, pk: int) -> HttpResponseBase:
    """End it now: what it kept out of sight is seen again."""
    found = _own(request, pk)
    count = end_maintenance(found, by=request.user)
    text = ngettext("%(count)s alarm is seen again", "%(count)s alarms are seen again", count) % {"count": count}
    messages.success(request, _("“%(name)s” is over") % {"name": found.name} + (f" · {text}" if count else ""))
    return redirect("maintenance")


urlpatterns = [
    path("", windows, name="maintenance"),
    path("-/new/", new, name="maintenance-new"),
    path("<int:pk>/", edit, name="maintenance-edit"),
    path("<int:pk>/end/", end, name="maintenance-end"),
]
