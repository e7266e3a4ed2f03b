"""What devices say of their state, merged for a whole batch of uplinks at once, in the batch's transaction."""

from collections.abc import Sequence
from typing import Any

from devices.exceptions import Invalid
from devices.messages import ShadowReport
from devices.models import Shadow, ShadowStep
from devices.timestamps import to_datetime

from . import shadow as shadows
from . import wake

Verdict = Invalid | None
FIELDS = ["reported", "delta", "version", "answered", "wanted", "changed_at"]


def read(device_id: int, body: Any, received_at: int) -> ShadowReport:
    """The report in a message; `{}` asks for the whole shadow. Raises Invalid: bad_shape, bad_value, too_deep, too_large."""
    if not isinstance(body, dict) or set(body) - {"reported", "version"}:
        raise Invalid("bad_shape", "a shadow report is an object with “reported” and at most “version”, or {}")
    version = body.get("version")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int) or not 0 <= version < 2**63):
        raise Invalid("bad_value", "“version” must be a whole number")
    if "reported" not in body and body:
        raise Invalid("bad_shape", "“version” without “reported”")
    if body:
        shadows.check_patch(body["reported"])
    return ShadowReport(device_id, body.get("reported"), version, received_at)


def apply(reports: Sequence[ShadowReport]) -> list[Verdict]:
    """Write what these say, in order, in the caller's transaction: None where a report was taken."""
    if not reports:
        return []
    found = shadows.locked(report.device_id for report in reports)
    steps: list[ShadowStep] = []
    told: list[tuple[Shadow, str, dict[str, Any]]] = []
    verdicts = [_apply(report, found[report.device_id], steps, told) for report in reports]
    Shadow.objects.bulk_update(found.values(), FIELDS, batch_size=500)
    ShadowStep.objects.bulk_create(steps, batch_size=500)
    wake.look_at({shadow.device_id for shadow in found.values() if shadow.wanted})
    if told:
        shadows.tell(told, to_datetime(reports[-1].received_at))
    return verdicts


def _apply(report: ShadowReport, shadow: Shadow, steps: list[ShadowStep], told: list[Any]) -> Verdict:
    if report.patch is None:
        shadow.wanted = Shadow.Wanted.WHOLE
        return None
    if report.version is not None and report.version > shadow.version:
        return Invalid("bad_value", f"version {report.version} is not there yet; the newest is {shadow.version}")
    if report.version is not None and report.version < shadow.answered:
        return None  # overtaken by a newer report
    before, now = shadow.delta, to_datetime(report.received_at)
    shadow.answered = max(shadow.answered, report.version or 0)
    try:
        changed = shadows.apply_patch(shadow, "reported", report.patch, now)
    except Invalid as error:
        return error
    if changed:
        steps.append(shadows.step_of(shadow, "reported", report.patch, now))
        told.append((shadow, "reported", report.patch))
        if shadow.delta and shadow.delta != before:
            shadow.wanted = shadow.wanted or Shadow.Wanted.DELTA
    return None
