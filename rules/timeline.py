"""What happens to alarms: written into their history, told to rules, and on commit to whoever watches."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from devices.timestamps import to_microseconds
from iotpanel import metrics
from iotpanel.tenants.models import User
from telemetry.live import publisher
from telemetry.live.wire import Notice

from . import derived, sinks
from .models import Alarm, AlarmEvent
from .triggers import CHANGES


def happened(
    alarms: Iterable[Alarm], kind: str, *, by: User | None = None, text: str = "", data: dict[str, Any] | None = None
) -> list[AlarmEvent]:
    """Write a change into the history of alarms, tell rules, and on commit whoever watches."""
    some, now = list(alarms), timezone.now()
    rows = [AlarmEvent(alarm=alarm, at=now, kind=kind, person=by, text=text, data=data or {}) for alarm in some]
    AlarmEvent.objects.bulk_create(rows)
    metrics.ALARM_CHANGES.labels(str(kind)).inc(len(some))
    for alarm in some if kind in CHANGES else ():
        params = {"change": str(kind), "severity": str(alarm.severity), "alarm": alarm.pk, "rule": alarm.rule_name}
        derived.add(derived.Happening(alarm.device_id, to_microseconds(now), "alarm", params))
    sinks.alarms(some, at=to_microseconds(now), change=str(kind), show=as_json)
    ids = [alarm.pk for alarm in some]
    transaction.on_commit(lambda: push(ids))
    return rows


def push(ids: Sequence[int]) -> None:
    """Tell those who watch the tenant's alarms how these are now."""
    live = publisher()
    if ids and any(topic.startswith("alarm:") for topic in live.noticed):
        rows = Alarm.objects.filter(pk__in=ids).select_related("device", "acknowledged_by", "assigned_to").order_by("pk")
        live.notices(Notice("alarm", row.tenant_id, row.device_id, as_json(row)) for row in rows)


def as_json(alarm: Alarm) -> dict[str, Any]:
    """The contract's form, the same on REST and WebSocket."""
    return {
        "id": alarm.pk,
        "rule": alarm.rule_id,
        "rule_name": alarm.rule_name,
        "device": alarm.device.key,
        "device_name": alarm.device.name,
        "severity": str(alarm.severity),
        "active": alarm.active,
        "acknowledged": alarm.acknowledged,
        "message": alarm.message,
        "value": alarm.value,
        "raised_at": alarm.raised_at.isoformat(),
        "cleared_at": _shown(alarm.cleared_at),
        "acknowledged_at": _shown(alarm.acknowledged_at),
        "acknowledged_by": alarm.acknowledged_by.username if alarm.acknowledged_by else None,
        "assigned_to": alarm.assigned_to.username if alarm.assigned_to else None,
        "shelved_until": _shown(alarm.shelved_until),
        "escalations": alarm.level,
    }


def _shown(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def end(alarm: Alarm, at: datetime) -> None:
    """It is over, in memory; never before it began."""
    alarm.active, alarm.cleared_at, alarm.escalates_at = False, max(at, alarm.raised_at), None
