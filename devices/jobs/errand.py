"""Jobs that tell each device something and follow what it says of it: what updates and new secrets have in common."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Count
from django.utils.translation import gettext as _

from devices.downlink import wake
from devices.models import Device, Errand, ErrandKind, Job, JobTarget, TargetState

from .kind import Kind

TIMEOUT, MAX_TIMEOUT = 3_600.0, 7 * 86_400.0  # seconds without a word of the device
ALREADY = "already_there"
log = structlog.get_logger(__name__)
_OVERDUE = """
    WITH mine AS (
        SELECT errand.id FROM devices_errand errand JOIN devices_jobtarget target ON target.id = errand.target_id
        WHERE target.job_id = %(job)s AND errand.finished_at IS NULL AND errand.due_at <= %(now)s
        ORDER BY errand.id FOR UPDATE OF errand SKIP LOCKED
    )
    UPDATE devices_errand errand SET
        reason = CASE WHEN state = 'queued' THEN 'not_sent' ELSE 'no_progress' END,
        error = CASE WHEN state = 'queued' THEN '' ELSE state END,
        state = 'failed', finished_at = %(now)s, wanted = false, sealed = ''
    FROM mine WHERE errand.id = mine.id RETURNING reason
"""
# One that was never there was waited for as long as may be, so it is not tried again.
_SETTLE = """
    UPDATE devices_jobtarget target SET
        state = CASE
            WHEN errand.state = 'succeeded' THEN 'succeeded'
            WHEN errand.state = 'cancelled' THEN 'cancelled'
            WHEN errand.reason <> 'not_sent' AND target.attempts <= %(retries)s THEN 'pending'
            ELSE 'failed' END,
        due_at = %(now)s + make_interval(secs => %(pause)s),
        finished_at = CASE
            WHEN errand.state = 'failed' AND errand.reason <> 'not_sent' AND target.attempts <= %(retries)s THEN NULL ELSE %(now)s END,
        reason = errand.reason, error = left(errand.error, 1000)
    FROM devices_errand errand
    WHERE errand.target_id = target.id AND errand.finished_at IS NOT NULL AND target.job_id = %(job)s AND target.state = 'working'
"""
_BUSY = """
    SELECT count(*) FROM devices_jobtarget target
    JOIN devices_errand errand ON errand.target_id = target.id
    LEFT JOIN devices_devicepresence presence ON presence.device_id = target.device_id
    WHERE target.job_id = %s AND target.state = 'working' AND (errand.state <> 'queued' OR presence.online)
"""
_STOP = """
    WITH mine AS (
        SELECT errand.id FROM devices_errand errand JOIN devices_jobtarget target ON target.id = errand.target_id
        WHERE target.job_id = %s AND errand.finished_at IS NULL ORDER BY errand.id FOR UPDATE OF errand
    )
    UPDATE devices_errand errand SET state = 'cancelled', reason = 'job_aborted', finished_at = now(), wanted = false, sealed = ''
    FROM mine WHERE errand.id = mine.id
"""


class ErrandJob(Kind):
    """Subclasses say what the errand is of, why a device cannot have it, and what it carries."""

    count_busy = _BUSY

    errand: ErrandKind

    def contents(self, spec: dict[str, Any], devices: Sequence[Device]) -> dict[int, dict[str, Any]]:
        """Further fields of each device's errand, by its id."""
        return {}

    def start(self, job: Job, targets: Sequence[JobTarget], now: datetime) -> None:
        devices = [target.device for target in targets]
        problems = self.problems(job.spec, devices)
        under_way = set(Errand.objects.filter(device__in=devices, kind=self.errand, finished_at=None).values_list("device_id", flat=True))
        begun = []
        for target in targets:
            target.attempts += 1
            code = problems.get(target.device_id) or ("update_under_way" if target.device_id in under_way else "")
            if code:
                target.state = TargetState.SUCCEEDED if code == ALREADY else TargetState.FAILED
                target.reason, target.error, target.finished_at = code, "", now
            else:
                target.state, target.reason, target.error = TargetState.WORKING, "", ""
                begun.append(target)
        self._begin(job, begun, now)
        JobTarget.objects.bulk_update(targets, ["state", "attempts", "reason", "error", "finished_at"], batch_size=1_000)

    def _begin(self, job: Job, targets: Sequence[JobTarget], now: datetime) -> None:
        contents = self.contents(job.spec, [target.device for target in targets])
        timeout, due = float(job.spec["timeout"]), now + timedelta(seconds=float(job.rollout["wait_offline"]))
        Errand.objects.filter(target__in=targets).delete()  # of an earlier attempt
        rows = [
            Errand(target=target, device=target.device, kind=self.errand, timeout=timeout, due_at=due, **contents.get(target.device_id, {}))
            for target in targets
        ]
        Errand.objects.bulk_create(rows, batch_size=1_000)
        wake.look_at({target.device_id for target in targets})

    def settle(self, job: Job, now: datetime) -> None:
        given = {"job": job.pk, "now": now, "retries": job.rollout["retries"], "pause": job.rollout["retry_after"]}
        with connection.cursor() as cursor:
            cursor.execute(_OVERDUE, given)
            overdue = Counter(reason for (reason,) in cursor.fetchall())
            cursor.execute(_SETTLE, given)
        if overdue:
            log.info("job_devices_overdue", job=job.pk, **overdue)

    def stop(self, job: Job) -> None:
        """Offers are withdrawn: addresses and pieces end, so that a download under way ends too."""
        with connection.cursor() as cursor:
            cursor.execute(_STOP, [job.pk])

    def steps(self, job: Job) -> dict[str, int]:
        open_ones = Errand.objects.filter(target__job=job, finished_at=None).order_by()
        return {str(state): int(number) for state, number in open_ones.values_list("state").annotate(number=Count("pk"))}


def clean_timeout(spec: dict[str, Any], default: float = TIMEOUT) -> float:
    """Seconds. Raises ValidationError."""
    value = spec.get("timeout")
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_TIMEOUT:
        raise ValidationError({"spec": _("“timeout” is a number of seconds.")})
    return float(value)


def clean_flag(spec: dict[str, Any], name: str) -> bool:
    """Raises ValidationError."""
    if not isinstance(spec.get(name, False), bool):
        raise ValidationError({"spec": _("“%(name)s” is true or false.") % {"name": name}})
    return bool(spec.get(name, False))
