"""The overview: how the fleet is, what needs somebody, where every report went."""

from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from iotpanel.pages.alarms.worst import by_severity
from iotpanel.tenants.web import TenantRequest, tenant_page

from . import attention, figures, fleet
from .latency import latency
from .window import window


def _ranges(chosen: str) -> list[tuple[str, str, bool]]:
    words = {"1h": _("1 h"), "24h": _("24 h"), "7d": _("7 d"), "30d": _("30 d")}
    return [(key, label, key == chosen) for key, label in words.items()]


def _bar(whole: fleet.Product) -> dict[str, float]:
    """Where the parts of the presence bar begin, and how wide they are, in percent."""
    parts = {state: 100 * getattr(whole, state) / (whole.total or 1) for state in ("online", "offline", "never")}
    at_offline = parts["online"]
    return {**parts, "at_offline": at_offline, "at_never": at_offline + parts["offline"]}


def _context(request: TenantRequest) -> dict[str, Any]:
    asked = window(request.GET.get("range", ""))
    found = fleet.products(request.tenant)
    whole = fleet.total(found)
    items = attention.items(request.tenant, asked, platform=request.user.is_superuser)
    rate = figures.rate(request.tenant, asked)
    alarms = by_severity(request.tenant)
    return {
        "ranges": _ranges(asked.key),
        "window": asked,
        "products": found,
        "fleet": whole,
        "bar": _bar(whole),
        "cells": fleet.cells(request.tenant, whole.total),
        "grouped": whole.total > fleet.MOST_CELLS,
        "alarms": alarms,
        "alarms_total": sum(count for _severity, count in alarms),
        "items": items[: attention.SHOWN],
        "more_items": max(0, len(items) - attention.SHOWN),
        "ledger": figures.books(request.tenant, asked),
        "letters": figures.letters(request.tenant, asked),
        "rate": rate,
        "latency": latency(),
        "rate_data": {"points": rate.points, "step": rate.step, "unit": _("/s")},
        "database": figures.database_bytes() if request.user.is_superuser else None,
        "retention": settings.RETENTION_DAYS,
    }


@tenant_page()
def overview(request: TenantRequest) -> HttpResponseBase:
    """The first page; an empty tenant is welcomed instead, once per session."""
    context = _context(request)
    if not context["fleet"].total and not request.session.get("welcomed"):
        return redirect("welcome")
    if request.htmx and not request.htmx.boosted:
        return render(request, "overview/body.html", context)
    return render(request, "overview/page.html", context)
