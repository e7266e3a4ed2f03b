"""Alarms: the list with one of them beside it, and what a person does with them."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from iotpanel.pages import wording
from iotpanel.pages.paging import page, read_cursor
from iotpanel.tenants.models import Role, User
from iotpanel.tenants.web import TenantRequest, tenant_page
from rules import alarms
from rules.models import Alarm, Maintenance, Severity
from rules.wording.phrases import SEVERITIES
from telemetry import latest
from telemetry.tiles import model_of

from .asked import VIEWS, Asked, alarms_of, counts
from .subject import subject_of
from .words import timeline

SHOWN = 200  # active ones; more is a storm, and the count says so
AT_ONCE = 1_000
SHELVES = {"1h": timedelta(hours=1), "8h": timedelta(hours=8), "1d": timedelta(days=1), "7d": timedelta(days=7)}


def _list(request: TenantRequest) -> dict[str, Any]:
    asked = Asked.of(request.GET)
    found = alarms_of(request.tenant, request.user, asked)
    shown = page(found, "-raised", read_cursor(request.GET.get("cursor", ""))) if asked.view == "history" else None
    rows = shown.rows if shown else list(found[:SHOWN])
    numbers = counts(request.tenant, request.user)
    labels = {
        "active": _("Active"), "unseen": _("Not acknowledged"), "mine": _("Mine"), "shelved": _("Shelved"),
        "maintenance": _("In maintenance"), "history": _("History"),
    }  # fmt: skip
    return {
        "asked": asked,
        "rows": _with_values(rows),
        "page": shown,
        "here": asked.address(),
        "more": max(0, numbers.get(asked.view, 0) - len(rows)) if not shown and not asked.q and not asked.severity else 0,
        "views": [
            (view, labels[view], numbers.get(view), asked.address(view=view))
            for view in VIEWS
            if view != "maintenance" or numbers[view] or asked.view == view
        ],
        "maintenances": Maintenance.objects.for_tenant(request.tenant).now().order_by("ends_at")[:5],
        "silenced": numbers["maintenance"],
        "severities": [(each.value, SEVERITIES[each.value], asked.address(severity=each.value)) for each in Severity],
        "without": {name: asked.address(**{name: ""}) for name in ("severity", "device", "q")},
        "unseen": [alarm.pk for alarm in rows if not alarm.acknowledged],
    }


def _with_values(rows: list[Alarm]) -> list[tuple[Alarm, str]]:
    """Each alarm with the value that its property has now."""
    subjects = {alarm.pk: subject_of(alarm) for alarm in rows}
    names = sorted({subject.property for subject in subjects.values() if subject.property})
    values = latest.read([alarm.device_id for alarm in rows], names) if names else {}
    return [(alarm, _now(alarm, subjects[alarm.pk].property, values.get(alarm.device_id, {}))) for alarm in rows]


def _now(alarm: Alarm, name: str, values: dict[str, Any]) -> str:
    if name not in values:
        return ""
    known = model_of(alarm.device.product).properties.get(name)
    unit = known.unit if known else ""
    return f"{wording.value(values[name][0], known.precision if known else None)} {unit}".strip()


@tenant_page()
def alarm_list(request: TenantRequest) -> HttpResponseBase:
    """The list; on a wide page the first one stands beside it."""
    context = _list(request)
    first = context["rows"][0][0] if context["rows"] else None
    return render(request, "alarms/page.html", context | ({"alone": False, **_detail(request, first)} if first else {}))


@tenant_page()
def alarm(request: TenantRequest, pk: int) -> HttpResponseBase:
    """One alarm: on a wide page beside the list, on a phone alone."""
    return render(request, "alarms/page.html", _list(request) | {"alone": True, **_detail(request, _alarm(request, pk))})


def _alarm(request: TenantRequest, pk: int) -> Alarm:
    known = Alarm.objects.for_tenant(request.tenant).select_related("device__product", "rule", "acknowledged_by", "assigned_to")
    found: Alarm = get_object_or_404(known, pk=pk)
    return found


def _detail(request: TenantRequest, found: Alarm) -> dict[str, Any]:
    since = timezone.now() - timedelta(days=30)
    subject = subject_of(found)
    values = latest.read([found.device_id], [subject.property]).get(found.device_id, {}) if subject.property else {}
    known = model_of(found.device.product).properties.get(subject.property)
    unit = known.unit if known and known.unit else ""
    return {
        "alarm": found,
        "subject": subject,
        "unit": unit,
        "precision": known.precision if known else None,
        "now": _now(found, subject.property, values),
        "raised_value": wording.value(found.value, known.precision if known else None) if found.value is not None else "",
        "lasts": wording.span(((found.cleared_at or timezone.now()) - found.raised_at).total_seconds()),
        "times": Alarm.objects.for_tenant(request.tenant).filter(rule=found.rule_id, device=found.device_id, raised_at__gte=since).count(),
        "timeline": timeline(found, unit),
        "people": _people(request),
        "chart": _chart(found, subject.property, subject.limit),
    }


def _chart(found: Alarm, name: str, limit: float | None) -> dict[str, Any]:
    return {
        "device": found.device.key,
        "property": name,
        "limit": limit,
        "severity": str(found.severity),
        "raised": int(found.raised_at.timestamp() * 1000),
        "cleared": int(found.cleared_at.timestamp() * 1000) if found.cleared_at else None,
    }


def _people(request: TenantRequest) -> QuerySet[User]:
    """Whom an alarm can be given to."""
    return User.objects.filter(memberships__tenant=request.tenant, is_active=True).distinct().order_by("username")[:200]


# --- What a person does ----------------------------------------------------------------------------------------


@require_POST
@tenant_page(Role.OPERATOR)
def act(request: TenantRequest, pk: int, verb: str) -> HttpResponseBase:
    """Acknowledge, clear, assign, comment, shelve or unshelve one alarm; then back to it, where the person was."""
    found, text = _alarm(request, pk), request.POST.get("text", "").replace("\x00", "").strip()[:4000]
    if verb == "acknowledge":
        alarms.acknowledge(found, by=request.user, text=text)
    elif verb == "clear":
        alarms.clear(found, by=request.user, text=text)
    elif verb == "assign":
        to = _people_by_name(request, request.POST.get("to", ""))
        alarms.assign(found, to=to, by=request.user, text=text)
    elif verb == "comment" and text:
        alarms.comment(found, by=request.user, text=text)
    elif verb == "shelve":
        span = SHELVES.get(request.POST.get("span", ""), SHELVES["8h"])
        alarms.shelve(found, until=timezone.now() + span, by=request.user, text=text)
    elif verb == "unshelve":
        alarms.shelve(found, until=None, by=request.user, text=text)
    back = Asked.of(QueryDict(request.POST.get("back", "").removeprefix("?")))
    return redirect(f"/alarms/{pk}/{back.address()}")


def _people_by_name(request: TenantRequest, name: str) -> User | None:
    if not name:
        return None
    found = User.objects.filter(memberships__tenant=request.tenant, is_active=True, username=name.replace("\x00", "")).first()
    if found is None:
        raise Http404
    return found


@require_POST
@tenant_page(Role.OPERATOR)
def acknowledge_many(request: TenantRequest) -> HttpResponseBase:
    """Acknowledge all that the list showed when the person clicked; what came since then waits."""
    chosen = [int(pk) for pk in request.POST.getlist("alarm") if pk.isdecimal() and len(pk) < 19][:AT_ONCE]
    found = Alarm.objects.for_tenant(request.tenant).filter(pk__in=chosen, acknowledged_at=None).order_by("pk")
    count = len([alarms.acknowledge(each, by=request.user) for each in found])
    messages.success(request, ngettext("%(count)s alarm acknowledged", "%(count)s alarms acknowledged", count) % {"count": count})
    back = Asked.of(QueryDict(request.POST.get("back", "").removeprefix("?")))
    return redirect(f"/alarms/{back.address()}")
