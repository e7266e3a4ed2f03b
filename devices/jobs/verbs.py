"""What people do with jobs: try, start, pause, go on, abort, try the failed ones again."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from devices.models import Job, JobState, TargetState
from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import Tenant, User
from iotpanel.tenants.validation import clean_text

from . import KINDS
from .rollout import clean_rollout, sizes
from .targets import MAX_DEVICES, chosen

CHECKED = 2_000  # devices that a dry run looks at one by one
# Devices that are there first, so that the canary says something soon; otherwise in an order that no name decides.
_TARGETS = """
    INSERT INTO devices_jobtarget (job_id, device_id, wave, state, attempts, reason, error)
    SELECT %(job)s, id, greatest(width_bucket(place, %(bounds)s::bigint[]), 0), 'pending', 0, '', ''
    FROM (
        SELECT device.id, row_number() OVER (
            ORDER BY coalesce(presence.online, false) DESC, md5(device.id::text || '-' || %(job)s::text)
        ) - 1 AS place
        FROM devices_device device LEFT JOIN devices_devicepresence presence ON presence.device_id = device.id
        WHERE device.id = ANY(%(devices)s)
    ) placed
"""


def dry_run(tenant: Tenant, *, kind: str, spec: Any, target: Any, rollout: Any = None) -> dict[str, Any]:
    """What the job would meet right now. Raises ValidationError as `start`."""
    spec, rollout, devices = _checked(tenant, kind, spec, target, rollout)
    count = devices.count()
    some = devices.select_related("product").order_by("pk")[:CHECKED]
    problems = Counter(KINDS[kind]().problems(spec, list(some)).values())
    return {
        "devices": count,
        "online": devices.online().count(),
        "offline": devices.offline().count(),
        "never_seen": devices.never_seen().count(),
        "waves": sizes(rollout, count),
        "checked": min(count, CHECKED),
        "problems": dict(problems),
    }


@transaction.atomic
def start(
    tenant: Tenant,
    *,
    name: str,
    kind: str,
    spec: Any,
    target: Any,
    rollout: Any = None,
    starts_at: datetime | None = None,
    person: User | None = None,
) -> Job:
    """A job for the devices that the target chooses now; those that come later are not in it. Raises ValidationError by field."""
    spec, rollout, devices = _checked(tenant, kind, spec, target, rollout)
    ids = list(devices.values_list("pk", flat=True)[: MAX_DEVICES + 1])
    if not 1 <= len(ids) <= MAX_DEVICES:
        raise ValidationError({"target": _("Between %(low)d and %(high)d.") % {"low": 1, "high": MAX_DEVICES}})
    waves = sizes(rollout, len(ids))
    values = {"kind": kind, "spec": spec, "target": target, "rollout": rollout, "starts_at": starts_at, "person": person}
    job = Job.objects.create(tenant=tenant, name=clean_text(name), waves=len(waves), **values)
    bounds = [sum(waves[: number + 1]) for number in range(len(waves))]
    with connection.cursor() as cursor:
        cursor.execute(_TARGETS, {"job": job.pk, "devices": ids, "bounds": bounds})
    return job


def pause(job: Job) -> Job:
    """Begin with no more devices; what is under way goes on."""
    return _turn(job, JobState.PAUSED, {JobState.RUNNING}, "by_person")


def go_on(job: Job) -> Job:
    """Go on with a paused job, also after the canary; the next look judges it anew."""
    return _turn(job, JobState.RUNNING, {JobState.PAUSED}, "canary_confirmed" if job.reason == "canary_done" else "")


@transaction.atomic
def abort(job: Job, *, reason: str = "by_person") -> Job:
    """End it: what has not begun is cancelled, what waits for its device too, what is on its way goes on and is not counted any more."""
    job = _turn(job, JobState.ABORTED, {JobState.RUNNING, JobState.PAUSED}, reason)
    now = timezone.now()
    KINDS[job.kind]().stop(job)
    KINDS[job.kind]().settle(job, now)
    left = job.targets.filter(state__in=[TargetState.PENDING, TargetState.WORKING])
    left.update(state=TargetState.CANCELLED, reason="job_aborted", finished_at=now)
    Job.objects.filter(pk=job.pk).update(finished_at=now)
    job.finished_at = now
    return job


@transaction.atomic
def retry(job: Job) -> Job:
    """Try the devices again that failed or were cancelled, all as one more wave."""
    job = _turn(job, JobState.RUNNING, {JobState.FINISHED, JobState.ABORTED}, "")
    job.waves += 1
    job.wave = job.waves - 1
    again = job.targets.filter(state__in=[TargetState.FAILED, TargetState.CANCELLED])
    fresh: dict[str, Any] = {"attempts": 0, "reason": "", "error": "", "finished_at": None, "due_at": None, "command": None}
    if not again.update(state=TargetState.PENDING, wave=job.wave, **fresh):
        raise Conflict("nothing_failed", _("No device of this job failed."))
    job.finished_at = None
    job.save(update_fields=["wave", "waves", "finished_at"])
    return job


def counts(job: Job) -> dict[str, int]:
    """How many devices are in each state."""
    found = job.targets.order_by().values_list("state").annotate(number=Count("pk"))
    return dict.fromkeys(TargetState.values, 0) | {str(state): int(number) for state, number in found}


def counts_by_wave(job: Job) -> list[dict[str, int]]:
    """The same for each wave."""
    waves = [dict.fromkeys(TargetState.values, 0) for _ in range(job.waves)]
    for wave, state, number in job.targets.order_by().values_list("wave", "state").annotate(number=Count("pk")):
        if wave < job.waves:
            waves[wave][str(state)] = int(number)
    return waves


def _checked(tenant: Tenant, kind: str, spec: Any, target: Any, rollout: Any) -> tuple[dict[str, Any], dict[str, Any], Any]:
    if kind not in KINDS:
        raise ValidationError({"kind": _("Choose one of: %(choices)s.") % {"choices": ", ".join(KINDS)}})
    return KINDS[kind]().clean(tenant, spec), clean_rollout({} if rollout is None else rollout), chosen(tenant, target)


@transaction.atomic
def _turn(job: Job, state: JobState, out_of: set[JobState], reason: str) -> Job:
    locked: Job = Job.objects.select_for_update(no_key=True).get(pk=job.pk)
    if locked.state not in out_of:
        raise Conflict("wrong_state", _("The job is %(state)s.") % {"state": JobState(locked.state).label})
    locked.state, locked.reason = state, reason
    locked.save(update_fields=["state", "reason"])
    return locked
