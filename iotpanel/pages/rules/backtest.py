"""What a rule would have done, as the page draws it: counts, one lane per device that would have fired, one suggestion."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from devices.models import Device
from devices.timestamps import to_microseconds
from iotpanel.pages import wording
from iotpanel.pages.alarms.subject import subject_in
from iotpanel.tenants.models import Tenant
from rules import rules
from rules.backtest import Backtest
from rules.durations import SECOND, BadSpan, parse_span, show_span
from rules.problem_words import said
from rules.problems import BadRule
from telemetry.charts import line

from .known import known_words

LANES = 8
POINTS = 300
QUICK = 3.0  # seconds: only then another span is tried too
OFTEN = 20  # firings of a rule that does not wait
Answer = dict[str, Any]


class Span(NamedTuple):
    """One firing: from when to when, in ms; `end` is None where it did not end in the window."""

    start: float
    end: float | None


def backtest(tenant: Tenant, body: Mapping[str, Any], days: int) -> Answer:
    """`{"facts", "rows", "start", "end", "limit", "others", "known", "note"}`; only `note` where it cannot be tried."""
    end = timezone.now()
    start = end - timedelta(days=days)
    began = time.perf_counter()
    try:
        found = _run(tenant, body, start, end)
    except (BadRule, ValidationError) as error:
        return {"note": _why(error)}
    took = time.perf_counter() - began
    spans = _spans(found["firings"])
    names = {firing["device"]: firing["device_name"] for firing in found["firings"]}
    return {
        "start": start.timestamp() * 1000,
        "end": end.timestamp() * 1000,
        "facts": _facts(found, spans, took),
        "limit": subject_in(body).limit,
        "rows": _rows(tenant, body, spans, names, (start, end)),
        "others": max(0, found["devices"] - min(len(spans), LANES)),
        "others_fired": sum(sorted((len(each) for each in spans.values()), reverse=True)[LANES:]),
        "known": known_words(found, start.timestamp() * 1000, end.timestamp() * 1000),
        "note": found["stopped"] or (_suggestion(tenant, body, start, end, _count(spans)) if took < QUICK else ""),
    }


def _run(tenant: Tenant, body: Mapping[str, Any], start: datetime, end: datetime) -> Answer:
    compiled = rules.checked(tenant, body)
    return Backtest(compiled, tenant, to_microseconds(start), to_microseconds(end)).run()


def _why(error: BadRule | ValidationError) -> str:
    text = said(error) if isinstance(error, BadRule) else " ".join(error.messages)
    return _("It cannot be tried yet: %(why)s") % {"why": text}


def _spans(firings: list[Answer]) -> dict[str, list[Span]]:
    """The firings of each device, each with its end."""
    found: dict[str, list[Span]] = {}
    for firing in firings:
        mine = found.setdefault(firing["device"], [])
        if firing["change"] != "cleared":
            mine.append(Span(firing["ts"], None))
        elif mine and mine[-1].end is None:
            mine[-1] = Span(mine[-1].start, firing["ts"])
    return {key: mine for key, mine in found.items() if mine}


def _count(spans: Mapping[str, list[Span]]) -> int:
    return sum(map(len, spans.values()))


def _facts(found: Answer, spans: Mapping[str, list[Span]], took: float) -> list[tuple[str, str]]:
    count = _count(spans)
    lengths = [span.end - span.start for mine in spans.values() for span in mine if span.end]
    checked = _("%(looks)s readings in %(took)s s") % {"looks": wording.number(found["looks"]), "took": f"{took:.1f}"}
    facts = [
        (_("Would have fired"), ngettext("%(count)s time", "%(count)s times", count) % {"count": wording.number(count)}),
        (_("Devices"), _("%(some)s of %(all)s devices") % {"some": wording.number(len(spans)), "all": wording.number(found["devices"])}),
        (_("Notifications"), wording.number(found["notifications"])),
    ]
    return [*facts, *([(_("Longest"), wording.span(max(lengths) / 1000))] if lengths else []), (_("Checked"), checked)]


def _rows(
    tenant: Tenant, body: Mapping[str, Any], spans: Mapping[str, list[Span]], names: Mapping[str, str], window: tuple[datetime, datetime]
) -> list[Answer]:
    """The devices that fired most, each with its course."""
    most = sorted(spans, key=lambda key: (-len(spans[key]), key))[:LANES]
    devices = {device.key: device for device in Device.objects.for_tenant(tenant).filter(key__in=most).select_related("product")}
    name = subject_in(body).property
    return [
        {
            "key": key,
            "name": names[key],
            "count": len(spans[key]),
            "spans": [list(span) for span in spans[key]],
            "line": _course(devices.get(key), name, window),
        }
        for key in most
    ]


def _course(device: Device | None, name: str, window: tuple[datetime, datetime]) -> Answer | None:
    if device is None or not name:
        return None
    drawn = line(device, name, *window, POINTS)
    return {part: drawn[part] for part in ("points", "bucket", "period")} if drawn["kind"] == "numbers" else None


def _suggestion(tenant: Tenant, body: Mapping[str, Any], start: datetime, end: datetime, count: int) -> str:
    """What another span would have made of it, where that says something."""
    other = _other_span(body.get("for"), count)
    if not other:
        return ""
    try:
        found = _count(_spans(_run(tenant, {**body, "for": other}, start, end)["firings"]))
    except (BadRule, ValidationError):
        return ""
    if abs(found - count) <= max(1, count // 4):
        return ""
    template = ngettext(
        "If it had to hold for %(span)s, it would have fired %(count)s time.",
        "If it had to hold for %(span)s, it would have fired %(count)s times.",
        found,
    )
    return template % {"span": wording.span(parse_span(other) / SECOND), "count": wording.number(found)}


def _other_span(given: Any, count: int) -> str:
    if not given:
        return "5m" if count >= OFTEN else ""
    try:
        hold = parse_span(given)
    except BadSpan:
        return ""
    return show_span(max(SECOND, hold // 2 // SECOND * SECOND))
