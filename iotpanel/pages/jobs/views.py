"""Jobs: the list, and each with its picture, its devices, and what can be done with it."""

from typing import Any

from django.contrib import messages
from django.db.models import Case, When
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from devices.jobs import KINDS, verbs
from devices.models import Job, JobState, JobTarget, TargetState
from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest, tenant_page

from .form import KIND_WORDS
from .starting import refuse
from .words import reason_words, step_words

SHOWN, DEVICES_SHOWN, WAVES_SHOWN, WIDTH = 100, 200, 20, 1000
# What is under way and what failed; then what ended last; then what has not begun.
_PLACES = {TargetState.WORKING: 0, TargetState.FAILED: 1, TargetState.PENDING: 3}
BUSY_FIRST = (Case(*(When(state=state, then=place) for state, place in _PLACES.items()), default=2), "-finished_at")
VERBS = {"pause": verbs.pause, "resume": verbs.go_on, "abort": verbs.abort, "retry": verbs.retry}
ORDER = ("succeeded", "failed", "cancelled", "working", "pending")


def picture(counts: dict[str, int]) -> dict[str, Any]:
    """The bar's parts, `WIDTH` wide in all, and the numbers."""
    total, parts, at = sum(counts.values()), [], 0
    for state in ORDER:
        width = round(WIDTH * (at + counts[state]) / total) - round(WIDTH * at / total) if total else 0
        begin = round(WIDTH * at / total) if total else 0
        parts.append({"state": state, "label": TargetState(state).label, "number": counts[state], "x": begin, "width": width})
        at += counts[state]
    ended = counts["succeeded"] + counts["failed"]
    return {"parts": parts, "total": total, "percent": 100 * (ended + counts["cancelled"]) // total if total else 0}


@tenant_page()
def jobs(request: TenantRequest) -> HttpResponseBase:
    """The newest jobs."""
    rows = [
        (job, KINDS[job.kind]().describe(job.spec), picture(verbs.counts(job)))
        for job in Job.objects.for_tenant(request.tenant).order_by("-pk")[:SHOWN]
    ]
    context = {"rows": rows, "may_start": request.role.allows(Role.OPERATOR)}
    return render(request, "jobs/list.html", context)


def _context(request: TenantRequest, pk: int) -> dict[str, Any]:
    job = get_object_or_404(Job.objects.for_tenant(request.tenant).select_related("person"), pk=pk)
    state = request.GET.get("state", "")
    found = JobTarget.objects.for_tenant(request.tenant).with_steps().filter(job=job).select_related("device").order_by(*BUSY_FIRST, "pk")
    if state in TargetState.values:
        found = found.filter(state=state)
    whole = picture(verbs.counts(job))
    kind, waves = KINDS[job.kind](), verbs.counts_by_wave(job)
    may_steer = request.role.allows(Role.OPERATOR)
    return {
        "job": job,
        "picture": whole,
        "waves": [(number, picture(counts), number - 1 > job.wave) for number, counts in enumerate(waves, 1)][-WAVES_SHOWN:],
        "what": kind.describe(job.spec),
        "kind_words": KIND_WORDS.get(job.kind, job.kind),
        "steps": [(state, step_words(state), number) for state, number in kind.steps(job).items()],
        "state": state,
        "targets": [(each, step_words(each.step or ""), reason_words(each.reason)) for each in found[:DEVICES_SHOWN]],
        "reason": reason_words(job.reason),
        "wave_now": job.wave + 1,
        "live": job.state in (JobState.RUNNING, JobState.PAUSED),
        "may_steer": may_steer and request.role.allows(kind.needs),
        "may_roll_back": may_steer and job.kind == "firmware" and not job.spec.get("previous") and whole["parts"][0]["number"] > 0,
    }


@tenant_page()
def job(request: TenantRequest, pk: int) -> HttpResponseBase:
    """One job, or its live part alone for HTMX."""
    template = "jobs/body.html" if request.htmx and not request.htmx.boosted else "jobs/page.html"
    return render(request, template, _context(request, pk))


@require_POST
@tenant_page(Role.OPERATOR)
def steer(request: TenantRequest, pk: int, verb: str) -> HttpResponseBase:
    """Pause, resume, abort, try the failed ones again."""
    found = get_object_or_404(Job.objects.for_tenant(request.tenant), pk=pk)
    if verb not in VERBS:
        raise Http404
    if verb == "retry":
        refuse(request, found.kind)
    try:
        VERBS[verb](found)
    except Conflict as error:
        messages.error(request, error.message)
    return redirect(found.get_absolute_url())
