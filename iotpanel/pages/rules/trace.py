"""Why a rule did what it did: its last looks, each with what it saw and what each comparison said."""

from typing import Any, NamedTuple

import redis
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from iotpanel.pages import wording
from iotpanel.tenants.models import Tenant
from iotpanel.tenants.web import TenantRequest, tenant_page
from rules import trace as traces
from rules.models import Rule
from rules.wording import Names, Part, plain
from rules.wording.clauses import condition

from .choices import names
from .views import rule_of

SHOWN = 100


class Look(NamedTuple):
    """One line: when, which device, what came of it, the values, and each comparison with its answer."""

    at: Any
    device: str
    change: str
    state: str
    values: list[tuple[str, str]]
    why: list[tuple[str, Any]]
    text: str


@tenant_page()
def trace(request: TenantRequest, pk: int) -> HttpResponseBase:
    """The newest looks; while the page is open every look is noted, else only what changed something."""
    found = rule_of(request.tenant, pk)
    device = request.GET.get("device", "").replace("\0", "")[:64]
    try:
        entries = traces.read(found.pk, device, SHOWN)
    except redis.RedisError:
        entries = None
    looks = _looks(request.tenant, found, entries or [])
    return render(request, "rules/trace.html", {"rule": found, "looks": looks, "device": device, "lost": entries is None})


def _looks(tenant: Tenant, rule: Rule, entries: list[dict[str, Any]]) -> list[Look]:
    known = names(tenant, rule.body)
    return [_look(rule, known, entry) for entry in entries]


def _look(rule: Rule, known: Names, entry: dict[str, Any]) -> Look:
    changes = {"raised": _("raised"), "cleared": _("cleared"), "repeated": _("raised again")}
    states = {"quiet": _("not so"), "waiting": _("so, and waiting"), "raised": _("so, since before")}
    values = [(known.property(key).name, _value(value, known.property(key).unit)) for key, value in (entry.get("values") or {}).items()]
    values += [
        (key, _("average %(value)s") % {"value": wording.number(each["avg"])}) for key, each in (entry.get("windows") or {}).items() if each
    ]
    return Look(
        at=_instant(entry["ts"]),
        device=str(entry.get("device", "")),
        change=changes.get(entry.get("change") or "", ""),
        state=states.get(entry.get("state", ""), ""),
        values=values,
        why=[(_clause(rule, known, each["path"]), each["so"]) for each in entry.get("why", [])],
        text=str(entry.get("text", "")),
    )


def _instant(ms: float) -> Any:
    return timezone.datetime.fromtimestamp(ms / 1000, tz=timezone.get_current_timezone())  # type: ignore[attr-defined]


def _value(value: Any, unit: str) -> str:
    return f"{wording.value(value)} {unit}".strip()


def _clause(rule: Rule, known: Names, path: str) -> str:
    """The comparison at a path of the rule's body, in words; the path itself where the rule has changed since."""
    part: Any = rule.body
    for step in path.split("."):
        if isinstance(part, dict):
            part = part.get(step)
        elif isinstance(part, list) and step.isdecimal() and int(step) < len(part):
            part = part[int(step)]
        else:
            part = None
    words = plain(condition(part, path, known)) if isinstance(part, dict) else plain([Part(path)])
    return words[:300]
