"""Alarms that nobody acknowledges: after a while they become more severe, and others are called."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import OperationalError, transaction
from django.utils import timezone

from devices.exceptions import Unavailable
from devices.timestamps import to_microseconds

from . import act, alarms, derived, failures, mutes
from .durations import parse_span
from .firing import ESCALATED, Firing
from .models import Alarm, AlarmEvent, Maintenance, Rule, Severity
from .rotations import on_call

PORTION = 200
Levels = Sequence[Mapping[str, Any]]


def arm(rows: Sequence[Alarm], levels: Levels) -> None:
    """Note when the first escalation of new alarms is due."""
    for row in rows if levels else ():
        row.escalates_at = timezone.now() + timedelta(microseconds=parse_span(levels[0]["after"]))
    if levels:
        Alarm.objects.bulk_update(rows, ["escalates_at"])


def sweep() -> int:
    """Escalate the alarms whose time is over; how many there were. Those on the shelf wait until they come off it."""
    due = Alarm.objects.open().filter(escalates_at__lte=timezone.now(), acknowledged_at=None).order_by("pk")
    rows = list(due.select_for_update(of=("self",), no_key=True, skip_locked=True).select_related("device")[:PORTION])
    windows = list(Maintenance.objects.now().select_related("tenant")) if rows else []
    for row in rows:
        _escalate(row, windows)
    return len(rows)


def _escalate(alarm: Alarm, windows: Sequence[Maintenance]) -> None:
    levels = levels_of(alarm)
    if alarm.level >= len(levels):
        alarm.escalates_at = None
        alarm.save(update_fields=["escalates_at"])
        return
    level = levels[alarm.level]
    alarm.level += 1
    later = levels[alarm.level] if alarm.level < len(levels) else None
    alarm.escalates_at = timezone.now() + timedelta(microseconds=parse_span(later["after"])) if later else None
    alarm.severity = Severity(level.get("severity", alarm.severity))
    if level.get("assign"):
        alarm.assigned_to = on_call(alarm.tenant_id, level["assign"]) or alarm.assigned_to
    alarm.save(update_fields=["level", "escalates_at", "severity", "assigned_to"])
    alarms.happened([alarm], AlarmEvent.Kind.ESCALATED, data={"severity": str(alarm.severity), "level": alarm.level})
    _call(mutes.muted([firing_of(alarm)], windows)[0], level.get("actions", ()))


def _call(firing: Firing, actions: Sequence[Mapping[str, Any]]) -> None:
    """What the escalation asks for. An action that fails costs itself only: the alarm is escalated all the same."""
    for settings in actions:
        try:
            with derived.or_nothing(), transaction.atomic():
                kind, _changes, action = act.make(settings)
                if mine := act.heard(kind, {firing.change}, [firing]):  # `on` says nothing here: there is one occasion
                    action.run(mine)
        except (OperationalError, Unavailable):
            raise
        except Exception as error:
            failures.note_later(firing.rule_id, error)


def levels_of(alarm: Alarm) -> Levels:
    """The escalations that the alarm's rule asks for now; none where it is gone."""
    rule = Rule.objects.filter(pk=alarm.rule_id).first() if alarm.rule_id else None
    for settings in rule.body.get("actions", ()) if rule else ():
        if settings.get("kind") == "alarm" and settings.get("escalate"):
            found: Levels = settings["escalate"]
            return found
    return ()


def firing_of(alarm: Alarm) -> Firing:
    at = to_microseconds(timezone.now())
    return Firing(
        alarm.tenant_id, alarm.rule_id or 0, alarm.rule_name, alarm.device_id, alarm.device.key, at, ESCALATED,
        {"severity": str(alarm.severity), "message": alarm.message}, 0, alarm.device.name, alarm.value, alarm.is_shelved,
    )  # fmt: skip
