"""Jobs: the list, and each with its picture, its devices, and what can be done with it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST

from devices.jobs import verbs
from devices.models import Job, JobState, JobTarget, TargetState
from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest, tenant_page

SHOWN, DEVICES_SHOWN, WIDTH = 100, 200, 1000
VERBS = {"pause": verbs.pause, "resume": verbs.go_on, "abort": verbs.abort, "retry": verbs.retry}
ORDER = ("succeeded", "failed", "cancelled", "working", "pending")
REASONS = {
    "by_person": gettext_noop("by a person"),
    "canary_done": gettext_noop("the canary is done; somebody has to go on"),
    "canary_failed": gettext_noop("the canary reached its limit of failures"),
    "too_many_failures": gettext_noop("too many devices failed"),
}


def picture(job: Job) -> dict[str, Any]:
    """The bar's parts, `WIDTH` wide in all, and the numbers."""
    counts = verbs.counts(job)
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
    rows = [(job, picture(job)) for job in Job.objects.for_tenant(request.tenant).order_by("-pk")[:SHOWN]]
    return render(request, "jobs/list.html", {"rows": rows})


def _context(request: TenantRequest, pk: int) -> dict[str, Any]:
    job = get_object_or_404(Job.objects.for_tenant(request.tenant).select_related("person"), pk=pk)
    state = request.GET.get("state", "")
    found = JobTarget.objects.for_tenant(request.tenant).filter(job=job).select_related("device").order_by("-finished_at", "pk")
    if state in TargetState.values:
        found = found.filter(state=state)
    reason = REASONS.get(job.reason)
    may_steer = request.role.allows(Role.OPERATOR)
    return {
        "job": job,
        "picture": picture(job),
        "state": state,
        "targets": found[:DEVICES_SHOWN],
        "reason": _(reason) if reason else job.reason,
        "wave_now": job.wave + 1,
        "live": job.state in (JobState.RUNNING, JobState.PAUSED),
        "may_steer": may_steer,
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
    try:
        VERBS[verb](found)
    except Conflict as error:
        messages.error(request, error.message)
    return redirect(found.get_absolute_url())
