"""The ledger: where every report went, per device, and what never came."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponseBase, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from devices.models import Device
from iotpanel.api.streaming import stream_csv
from iotpanel.pages.overview.window import Window, window
from iotpanel.tenants.web import TenantRequest, tenant_page
from telemetry import ledger, usage
from telemetry.history.export import neutral
from telemetry.ledger import Counts

from .course import bars, step_of
from .rows import SORTS, counts_of, devices_of, ordered, rows

PER_PAGE = 25
CSV_AT_ONCE = 100
COLUMNS = ("device", "name", "product", *ledger.NAMES, "unaccounted", "period_seconds", "gaps", "missing", "silent_seconds")


class Asked(NamedTuple):
    """What the address says: `?range=7d&q=…&sort=-missing`."""

    range: str = "24h"
    q: str = ""
    sort: str = "-dead_lettered"

    @classmethod
    def of(cls, query: QueryDict) -> "Asked":
        sort = query.get("sort", "")
        known = sort if sort.removeprefix("-") in SORTS else "-dead_lettered"
        return cls(window(query.get("range", "")).key, query.get("q", "").replace("\x00", "").strip()[:200], known)

    def address(self, **changes: str) -> str:
        pairs = self._replace(**changes)._asdict().items()
        return "?" + urlencode([(name, value) for name, value in pairs if value and value != Asked._field_defaults[name]])

    def turned(self, name: str) -> str:
        """The address that sorts by this column: numbers fall first, and turn when they are clicked again."""
        first, second = ("name", "-name") if name == "name" else (f"-{name}", name)
        return self.address(sort=second if self.sort == first else first)


def _heads(asked: Asked) -> list[tuple[str, str, str]]:
    """Label, address and direction of each column."""
    labels = {
        "name": _("Device"),
        "received": _("Received"),
        "stored": _("Stored"),
        "duplicate": _("Duplicate"),
        "rejected": _("Rejected"),
        "dead_lettered": _("Dead-lettered"),
        "missing": _("Missing"),
    }
    return [(label, asked.turned(name), _direction(asked.sort, name)) for name, label in labels.items()]


def _direction(sort: str, name: str) -> str:
    if sort.removeprefix("-") != name:
        return ""
    return "descending" if sort.startswith("-") else "ascending"


def _whole(counts: dict[int, Counts]) -> Counts:
    return Counts(*map(sum, zip(*counts.values(), strict=True))) if counts else Counts()


def _context(request: TenantRequest) -> dict[str, Any]:
    asked = Asked.of(request.GET)
    asked_window = window(asked.range)
    devices = devices_of(request.tenant, asked.q)
    counts = counts_of(devices, asked_window)
    page = Paginator(ordered(devices, counts, asked.sort, asked_window), PER_PAGE).get_page(request.GET.get("page"))
    words = {"1h": _("1 h"), "24h": _("24 h"), "7d": _("7 d"), "30d": _("30 d")}
    return {
        "asked": asked,
        "window": asked_window,
        "ranges": [(words[key], asked.address(range=key), key == asked.range) for key in words],
        "heads": _heads(asked),
        "whole": _whole(counts),
        "bars": bars([device.pk for device in devices], asked_window),
        "step": step_of(asked_window),
        "page": page,
        "rows": list(rows(list(page.object_list), counts, asked_window)),
        "here": asked.address(),
        "export": "/ledger/export/" + asked.address(),
        "unknown": _unknown(asked_window) if request.user.is_superuser and not asked.q else 0,
        "usage": usage.of_tenant(request.tenant, timezone.now()),
    }


def _unknown(asked: Window) -> int:
    """Messages of no known device: nobody's, so only superusers are told."""
    return ledger.by_device([0], since=asked.since, until=asked.until).get(0, Counts()).received


@require_safe
@tenant_page()
def ledger_page(request: TenantRequest) -> HttpResponseBase:
    """The books of the tenant's devices in a window."""
    return render(request, "ledger/page.html", _context(request))


@require_safe
@tenant_page()
def export(request: TenantRequest) -> HttpResponseBase:
    """All rows of the page as CSV, in the same order."""
    asked = Asked.of(request.GET)
    asked_window = window(asked.range)
    devices = devices_of(request.tenant, asked.q)
    counts = counts_of(devices, asked_window)
    lines = _lines(ordered(devices, counts, asked.sort, asked_window), counts, asked_window)
    return stream_csv(request, lines, f"ledger-{asked.range}.csv")


def _lines(devices: Sequence[Device], counts: dict[int, Counts], asked: Window) -> Iterator[str]:
    yield _line(COLUMNS)
    for start in range(0, len(devices), CSV_AT_ONCE):
        for row in rows(devices[start : start + CSV_AT_ONCE], counts, asked):
            names = [neutral(text) for text in (row.device.key, row.device.name, row.device.product.key)]
            period = row.expected.seconds if row.expected else ""
            yield _line(
                [*names, *row.counts, row.counts.missing, period, row.missing.gaps, row.missing.missing, round(row.missing.seconds)]
            )


def _line(cells: Sequence[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
