"""One step of each running job, taken every two seconds: settle, judge, open the next wave, begin with more devices."""

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from devices.models import Job, JobState, JobTarget, TargetState

from . import KINDS, verbs
from .rollout import is_open

AT_ONCE = 2_000  # devices that one step begins with
log = structlog.get_logger(__name__)


def advance(now: datetime | None = None) -> int:
    """A step for every job that has not ended; how many there were. One that fails leaves the others alone."""
    ids = list(Job.objects.unfinished().order_by("pk").values_list("pk", flat=True))
    for pk in ids:
        try:
            step(pk, now or timezone.now())
        except Exception as error:  # whatever it is: one bad job must not stop the others
            log.error("job_step_failed", job=pk, exc_info=error)
    return len(ids)


@transaction.atomic
def step(pk: int, now: datetime) -> None:
    """A job that somebody else steps right now, or that has ended, is left alone; a paused one only takes over what has ended."""
    job = Job.objects.unfinished().select_for_update(no_key=True, skip_locked=True, of=("self",)).filter(pk=pk).first()
    if job is None or (job.starts_at is not None and job.starts_at > now):
        return
    kind = KINDS[job.kind]()
    kind.settle(job, now)
    if job.state == JobState.PAUSED:
        return
    if fails(job):
        verbs.abort(job, reason="canary_failed" if _is_canary(job) else "too_many_failures")
        log.warning("job_aborted", job=job.pk, **verbs.counts(job))
        return
    if _wave_is_done(job, kind.busy(job)) and not _next_wave(job, now):
        return
    if is_open(job.rollout, now) and (room := min(job.rollout["parallel"] - kind.busy(job), AT_ONCE)) > 0:
        due = job.targets.filter(Q(due_at=None) | Q(due_at__lte=now), state=TargetState.PENDING, wave__lte=job.wave)
        if some := list(due.select_related("device__product").order_by("wave", "pk")[:room]):
            kind.start(job, some, now)


def fails(job: Job) -> bool:
    """Whether so many failed that it has to stop. The canary is judged when all of it that is there has ended, or cannot recover."""
    found = verbs.counts(job)
    failed, ended = found["failed"], found["failed"] + found["succeeded"]
    limit = job.rollout["abort_percent"]
    if _is_canary(job):
        size = job.targets.filter(wave=0).count()
        return failed * 100 >= limit * size and failed > 0
    return ended >= min(job.rollout["abort_after"], job.targets.count()) and failed * 100 >= limit * ended and failed > 0


def _is_canary(job: Job) -> bool:
    return bool(job.rollout["canary_percent"]) and job.wave == 0 and job.waves > 1


def _wave_is_done(job: Job, busy: int) -> bool:
    """Nobody of the open waves is left but those that are away; of a canary somebody must have ended."""
    open_ones = JobTarget.objects.filter(job=job, wave__lte=job.wave)
    if busy or open_ones.filter(state=TargetState.PENDING).exists():
        return False
    return not _is_canary(job) or open_ones.filter(state=TargetState.SUCCEEDED).exists()


def _next_wave(job: Job, now: datetime) -> bool:
    """Opens the next wave, or ends the job; False where there is nothing to begin with."""
    if job.wave + 1 >= job.waves:
        if job.targets.filter(state=TargetState.WORKING).exists():
            return False  # it waits for devices that are away
        job.state, job.finished_at = JobState.FINISHED, now
        job.save(update_fields=["state", "finished_at"])
        return False
    if _is_canary(job) and job.rollout["canary_confirm"] and job.reason != "canary_confirmed":
        job.state, job.reason = JobState.PAUSED, "canary_done"
        job.save(update_fields=["state", "reason"])
        return False
    job.wave += 1
    job.reason = ""
    job.save(update_fields=["wave", "reason"])
    return True
