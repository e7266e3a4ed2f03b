"""Jobs that send each device a command; the command's own states say how it went."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from devices.downlink import commands, moves
from devices.downlink.commands import MAX_EXPIRES_IN, MAX_PARAMS, MAX_TIMEOUT, Order
from devices.models import Device, Job, JobTarget, TargetState
from devices.thing_model import ThingModel
from iotpanel.api.errors import ApiError
from iotpanel.tenants.models import Tenant
from iotpanel.tenants.validation import clean_json, clean_text

from .kind import Kind

FIELDS = ("command", "params", "timeout")
BATCH = 500
# `expired` waited as long as it may, `cancelled` was somebody's wish: neither is tried again.
_SETTLE = """
    UPDATE devices_jobtarget target
    SET state = CASE
            WHEN command.state = 'succeeded' OR (command.one_way AND command.state = 'sent') THEN 'succeeded'
            WHEN command.state IN ('failed', 'timed_out') AND target.attempts <= %(retries)s THEN 'pending'
            WHEN command.state = 'cancelled' THEN 'cancelled'
            ELSE 'failed' END,
        due_at = %(now)s + make_interval(secs => %(pause)s),
        finished_at = CASE
            WHEN command.state IN ('failed', 'timed_out') AND target.attempts <= %(retries)s THEN NULL ELSE %(now)s END,
        reason = CASE WHEN command.state = 'succeeded' THEN '' WHEN command.reason = '' THEN command.state ELSE command.reason END,
        error = left(command.error, 1000)
    FROM devices_command command
    WHERE command.id = target.command AND command.finished_at IS NOT NULL AND target.job_id = %(job)s AND target.state = 'working'
"""
_BUSY = """
    SELECT count(*) FROM devices_jobtarget target LEFT JOIN devices_command command ON command.id = target.command
    WHERE target.job_id = %s AND target.state = 'working' AND coalesce(command.waits, '') <> 'device'
"""


class CommandJob(Kind):
    count_busy = _BUSY

    def clean(self, tenant: Tenant, spec: Any) -> dict[str, Any]:
        if not isinstance(spec, dict) or set(spec) - set(FIELDS) or "command" not in spec:
            raise ValidationError({"spec": _("An object with “command”, and “params”, “timeout”.")})
        params = clean_json({} if spec.get("params") is None else spec["params"], limit=MAX_PARAMS)
        timeout = spec.get("timeout")
        if not isinstance(params, dict):
            raise ValidationError({"spec": _("“params” is an object.")})
        if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= MAX_TIMEOUT):
            raise ValidationError({"spec": _("“timeout” is a number of seconds.")})
        return {"command": clean_text(spec["command"], limit=64), "params": params, "timeout": timeout}

    def problems(self, spec: dict[str, Any], devices: Sequence[Device]) -> dict[int, str]:
        models: dict[int, ThingModel] = {}
        return {device.pk: code for device in devices if (code := self._problem(spec, device, models))}

    def describe(self, spec: dict[str, Any]) -> str:
        return str(spec.get("command", ""))

    @staticmethod
    def _problem(spec: dict[str, Any], device: Device, models: dict[int, ThingModel]) -> str:
        try:
            commands.check(device, spec["command"], spec["params"], models)
        except ApiError as error:
            return error.code
        return "" if device.enabled else "device_disabled"

    def start(self, job: Job, targets: Sequence[JobTarget], now: datetime) -> None:
        for begin in range(0, len(targets), BATCH):
            some = targets[begin : begin + BATCH]
            try:
                with transaction.atomic():
                    self._started(some, commands.send_all([self._order(job, target) for target in some]))
            except ApiError:  # one of them is refused: find out which
                for target in some:
                    self._start_one(job, target, now)
        JobTarget.objects.bulk_update(targets, ["state", "command", "attempts", "reason", "error", "finished_at"], batch_size=1_000)

    def _start_one(self, job: Job, target: JobTarget, now: datetime) -> None:
        try:
            with transaction.atomic():
                self._started([target], commands.send_all([self._order(job, target)]))
        except ApiError as error:
            target.state, target.reason, target.error, target.finished_at = TargetState.FAILED, error.code[:32], str(error.message), now
            target.attempts += 1

    @staticmethod
    def _started(targets: Sequence[JobTarget], made: Sequence[int]) -> None:
        for target, command in zip(targets, made, strict=True):
            target.state, target.command = TargetState.WORKING, command
            target.attempts += 1

    @staticmethod
    def _order(job: Job, target: JobTarget) -> Order:
        wait = min(float(job.rollout["wait_offline"]), MAX_EXPIRES_IN)
        spec = job.spec
        return Order(target.device, spec["command"], spec["params"], expires_in=wait, timeout=spec["timeout"], person=job.person)

    def settle(self, job: Job, now: datetime) -> None:
        rollout = job.rollout
        given = {"job": job.pk, "now": now, "retries": rollout["retries"], "pause": rollout["retry_after"]}
        with connection.cursor() as cursor:
            cursor.execute(_SETTLE, given)

    def stop(self, job: Job) -> None:
        """Commands that wait are cancelled; what a device has been told already cannot be taken back."""
        now = timezone.now()
        mine = "id IN (SELECT command FROM devices_jobtarget WHERE job_id = %(job)s AND state = 'working') AND NOT in_flight"
        moves.finish(mine, "cancelled", now, wait=True, reason="job_aborted", error="", job=job.pk)
