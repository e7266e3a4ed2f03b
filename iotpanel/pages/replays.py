"""Replays of dead letters that go on in the background: what a request says of them, how far they are, cancelled."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import F, Q
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from iotpanel.tenants.models import Role, Tenant
from iotpanel.tenants.web import TenantRequest, tenant_page
from telemetry.models import ReplayRun
from telemetry.models.replay import ReplaySet
from telemetry.uplink import replay_runs
from telemetry.uplink.replay_runs import Replayed

from . import wording

STAYS = timedelta(minutes=1)  # how long the result of one that has ended is shown
SHOWN = 20


def tell(request: TenantRequest, done: Replayed) -> None:
    """What the request replayed, and what goes on."""
    numbers = {"replayed": done.replayed, "failed": done.failed}
    if done.failed:
        messages.error(request, _("%(replayed)s accepted, %(failed)s refused again: see why in the list") % numbers)
    elif done.replayed or not done.waiting:
        messages.success(request, _("%(replayed)s accepted") % numbers)
    tell_waiting(request, done)


def tell_waiting(request: TenantRequest, done: Replayed) -> None:
    """What goes on in the background, if anything does."""
    if done.waiting:
        messages.info(request, _("%(waiting)s more are being replayed in the background") % {"waiting": wording.number(done.waiting)})


def runs_of(tenant: Tenant) -> dict[str, Any]:
    """The runs to be shown: those that go on, and those that ended a moment ago."""
    mine: ReplaySet = ReplayRun.objects.for_tenant(tenant)
    ended = Q(finished_at__gte=timezone.now() - STAYS)
    runs = list(
        mine.light().filter(Q(pk__in=mine.unfinished().values("pk")) | ended).order_by(F("finished_at").desc(nulls_first=True))[:SHOWN]
    )
    return {"runs": runs, "running": any(run.finished_at is None for run in runs)}


@tenant_page()
def replays(request: TenantRequest) -> HttpResponseBase:
    """The part of the dead letters' page that says how far they are."""
    return render(request, "letters/replays.html", runs_of(request.tenant))


@require_POST
@tenant_page(Role.OPERATOR)
def cancel(request: TenantRequest, pk: int) -> HttpResponseBase:
    """What is done stays done."""
    replay_runs.cancel(get_object_or_404(ReplayRun.objects.for_tenant(request.tenant).defer("letters"), pk=pk))
    return redirect("dead-letters")
