"""Jobs that change the desired state of devices; done with a device once it reports that it is so."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.translation import gettext as _

from devices.downlink import shadow as shadows
from devices.downlink.merge import State
from devices.exceptions import Invalid
from devices.models import Device, Job, JobTarget, Shadow, TargetState
from iotpanel.tenants.models import Tenant

from .errand import clean_flag, clean_timeout
from .kind import Kind

FIELDS = ("desired", "confirm", "timeout")
TIMEOUT = 300.0  # seconds from the sending to the device's report
# Only shadows that have changed since the last look; `command` holds the version that was looked at.
_CHANGED = """
    SELECT target.id, shadow.delta, shadow.version
    FROM devices_jobtarget target JOIN devices_shadow shadow ON shadow.device_id = target.device_id
    WHERE target.job_id = %s AND target.state = 'working' AND shadow.version IS DISTINCT FROM target.command
"""
_SETTLE = """
    UPDATE devices_jobtarget target SET state = 'succeeded', reason = '', error = '', finished_at = %s WHERE target.id = ANY(%s)
"""
_LOOKED = "UPDATE devices_jobtarget target SET command = said.version FROM unnest(%s, %s) AS said (id, version) WHERE target.id = said.id"
_OVERDUE = """
    UPDATE devices_jobtarget target SET
        state = CASE WHEN shadow.wanted = '' AND target.attempts <= %(retries)s THEN 'pending' ELSE 'failed' END,
        finished_at = CASE WHEN shadow.wanted = '' AND target.attempts <= %(retries)s THEN NULL ELSE %(now)s END,
        reason = CASE WHEN shadow.wanted = '' THEN 'not_reported' ELSE 'not_sent' END,
        due_at = %(now)s + make_interval(secs => %(pause)s)
    FROM devices_shadow shadow
    WHERE shadow.device_id = target.device_id AND target.job_id = %(job)s AND target.state = 'working'
      AND (target.due_at <= %(now)s OR (shadow.wanted = '' AND shadow.sent_at + make_interval(secs => %(timeout)s) <= %(now)s))
"""
_BUSY = """
    SELECT count(*) FROM devices_jobtarget target
    JOIN devices_shadow shadow ON shadow.device_id = target.device_id
    LEFT JOIN devices_devicepresence presence ON presence.device_id = target.device_id
    WHERE target.job_id = %s AND target.state = 'working' AND (shadow.wanted = '' OR presence.online)
"""


class ShadowJob(Kind):
    count_busy = _BUSY

    def clean(self, tenant: Tenant, spec: Any) -> dict[str, Any]:
        """`desired` is a merge patch; with `"confirm": false` a device is done as soon as it is written down."""
        if not isinstance(spec, dict) or set(spec) - set(FIELDS) or not spec.get("desired"):
            raise ValidationError({"spec": _("An object with “desired”, and “confirm”, “timeout”.")})
        try:
            shadows.check_patch(spec["desired"])
        except Invalid as error:
            raise ValidationError({"spec": error.detail}, code=error.code) from error
        confirm = clean_flag({"confirm": True} | spec, "confirm")
        return {"desired": spec["desired"], "confirm": confirm, "timeout": clean_timeout(spec, TIMEOUT)}

    def problems(self, spec: dict[str, Any], devices: Sequence[Device]) -> dict[int, str]:
        return {device.pk: "device_disabled" for device in devices if not device.enabled}

    def describe(self, spec: dict[str, Any]) -> str:
        text = orjson.dumps(spec.get("desired", {})).decode()
        return text if len(text) <= 80 else text[:79] + "…"

    def start(self, job: Job, targets: Sequence[JobTarget], now: datetime) -> None:
        problems = self.problems(job.spec, [target.device for target in targets])
        able = [target for target in targets if target.device_id not in problems]
        found = shadows.patch_many([target.device_id for target in able], job.spec["desired"], person=job.person)
        due = now + timedelta(seconds=float(job.rollout["wait_offline"]))
        for target in targets:
            target.attempts += 1
            outcome = found.get(target.device_id)
            code = problems.get(target.device_id) or (outcome.code if isinstance(outcome, Invalid) else "")
            if code:
                target.state, target.reason, target.finished_at = TargetState.FAILED, code, now
            elif isinstance(outcome, Shadow) and (not job.spec["confirm"] or not overlap(outcome.delta, job.spec["desired"])):
                target.state, target.reason, target.finished_at = TargetState.SUCCEEDED, "", now
            elif isinstance(outcome, Shadow):
                target.state, target.reason, target.command, target.due_at = TargetState.WORKING, "", outcome.version, due
        fields = ["state", "attempts", "reason", "finished_at", "command", "due_at"]
        JobTarget.objects.bulk_update(targets, fields, batch_size=1_000)

    def settle(self, job: Job, now: datetime) -> None:
        rollout = job.rollout
        given = {"job": job.pk, "now": now, "retries": rollout["retries"], "pause": rollout["retry_after"], "timeout": job.spec["timeout"]}
        with connection.cursor() as cursor:
            cursor.execute(_CHANGED, [job.pk])
            rows = [
                (pk, orjson.loads(delta) if isinstance(delta, str | bytes) else delta, version) for pk, delta, version in cursor.fetchall()
            ]
            if done := [pk for pk, delta, _version in rows if not overlap(delta, job.spec["desired"])]:
                cursor.execute(_SETTLE, [now, done])
            if rows:
                cursor.execute(_LOOKED, [[pk for pk, _delta, _version in rows], [version for _pk, _delta, version in rows]])
            cursor.execute(_OVERDUE, given)

    def stop(self, job: Job) -> None:
        """What is desired stays desired: nobody knows what it was to be instead."""


def overlap(delta: State, patch: State) -> bool:
    """Whether anything of the patch is still not so."""
    for key, wanted in patch.items():
        if key not in delta:
            continue
        there = delta[key]
        if not (isinstance(wanted, dict) and isinstance(there, dict)) or overlap(there, wanted):
            return True
    return False
