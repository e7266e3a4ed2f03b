"""Alarms: raised and cleared by rules and by hand, acknowledged, assigned, commented, shelved. Each change is history."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone

from devices.models import DeviceSet
from devices.timestamps import to_datetime
from iotpanel.tenants.models import User

from . import mutes
from .engine import see_derived
from .firing import Firing
from .models import Alarm, AlarmEvent, AlarmSet, Maintenance, Severity
from .timeline import as_json, end, happened, push

Kind = AlarmEvent.Kind


def raise_for(firings: Sequence[Firing], *, severity: Severity, message: Callable[[Firing], str]) -> list[Alarm]:
    """Raise one alarm per rule and device, in the caller's transaction; where one is active nothing changes."""
    latest, now = {(firing.rule_id, firing.device_id): firing for firing in firings}, timezone.now()
    shelves = _shelves(latest.values())
    rows = [
        Alarm(
            tenant_id=firing.tenant_id,
            rule_id=firing.rule_id,
            rule_name=firing.rule_name[:200],
            device_id=firing.device_id,
            severity=severity,
            message=message(firing)[:1000],
            value=firing.value,
            raised_at=to_datetime(firing.at),
            created_at=now,
            shelved_until=shelves.get(firing.device_id),
        )
        for _, firing in sorted(latest.items())
    ]
    known = set(
        Alarm.objects.active().filter(rule_id__in={row.rule_id for row in rows}, device_id__in={row.device_id for row in rows})
        .values_list("rule_id", "device_id")
    )  # fmt: skip
    new = _insert([row for row in rows if (row.rule_id, row.device_id) not in known], now)
    happened(new, Kind.RAISED, data={"severity": str(severity)})
    return new


def _shelves(firings: Iterable[Firing]) -> dict[int, datetime]:
    """By device, until when alarms stay out of sight that are raised during maintenance."""
    if not (muted := [firing for firing in firings if firing.muted]):
        return {}
    tenants = {firing.tenant_id for firing in muted}
    return mutes.ends(muted, Maintenance.objects.now().filter(tenant_id__in=tenants).select_related("tenant"))


def _insert(rows: Sequence[Alarm], now: datetime) -> list[Alarm]:
    """Insert; those that somebody else raised at the same time stay out."""
    if not rows:
        return []
    Alarm.objects.bulk_create(rows, ignore_conflicts=True)
    pairs = {(row.rule_id, row.device_id) for row in rows}
    mine = Alarm.objects.active().filter(created_at=now, rule_id__in={one for one, _ in pairs}, device_id__in={two for _, two in pairs})
    return [row for row in mine.order_by("pk") if (row.rule_id, row.device_id) in pairs]


def clear_for(firings: Sequence[Firing]) -> None:
    """Clear the active alarms of these rules and devices, in the caller's transaction."""
    ended = {(firing.rule_id, firing.device_id): firing for firing in firings}
    rows = Alarm.objects.active().select_for_update(of=("self",), no_key=True).order_by("pk")
    found = [
        row
        for row in rows.filter(rule_id__in={key[0] for key in ended}, device_id__in={key[1] for key in ended})
        if (row.rule_id, row.device_id) in ended
    ]
    for row in found:
        end(row, to_datetime(ended[row.rule_id, row.device_id].at))
    Alarm.objects.bulk_update(found, ["active", "cleared_at", "escalates_at"])
    happened(found, Kind.CLEARED)


@transaction.atomic
def acknowledge(alarm: Alarm, *, by: User | None, text: str = "") -> Alarm:
    """Somebody looks after it. Acknowledging again changes nothing."""
    alarm = _held(alarm)
    if not alarm.acknowledged:
        alarm.acknowledged_at, alarm.acknowledged_by, alarm.escalates_at = timezone.now(), by, None
        alarm.save(update_fields=["acknowledged_at", "acknowledged_by", "escalates_at"])
        happened([alarm], Kind.ACKNOWLEDGED, by=by, text=text)
        see_derived()
    return alarm


@transaction.atomic
def clear(alarm: Alarm, *, by: User | None, text: str = "") -> Alarm:
    """Clear by hand. The rule forgets that it had raised it: should its condition hold still, the next reading raises a new one."""
    alarm = _held(alarm)
    if alarm.active:
        end(alarm, timezone.now())
        alarm.save(update_fields=["active", "cleared_at", "escalates_at"])
        _quiet(alarm)
        happened([alarm], Kind.CLEARED, by=by, text=text)
        see_derived()
    return alarm


@transaction.atomic
def assign(alarm: Alarm, *, to: User | None, by: User | None, text: str = "") -> Alarm:
    """Give it to a person of the tenant, or take it from whoever had it."""
    alarm = _held(alarm)
    alarm.assigned_to = to
    alarm.save(update_fields=["assigned_to"])
    happened([alarm], Kind.ASSIGNED, by=by, text=text, data={"to": to.username if to else None})
    return alarm


@transaction.atomic
def comment(alarm: Alarm, *, by: User | None, text: str) -> AlarmEvent:
    """Write something down."""
    return happened([_held(alarm)], Kind.COMMENTED, by=by, text=text)[0]


@transaction.atomic
def shelve(alarm: Alarm, *, until: datetime | None, by: User | None, text: str = "") -> Alarm:
    """Put it out of sight until an instant; None takes it off the shelf."""
    alarm = _held(alarm)
    alarm.shelved_until = until
    alarm.save(update_fields=["shelved_until"])
    kind = Kind.SHELVED if until else Kind.UNSHELVED
    happened([alarm], kind, by=by, text=text, data={"until": until.isoformat()} if until else {})
    return alarm


def _held(alarm: Alarm) -> Alarm:
    found: Alarm = Alarm.objects.select_for_update(of=("self",), no_key=True).select_related("device").get(pk=alarm.pk)
    return found


def _quiet(alarm: Alarm) -> None:
    """Have the rule begin anew with this device, and whoever remembers it be told."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE rules_rulestate SET phase = 0, since = 0, off_since = 0, due_at = NULL, version = version + 1 "
            "WHERE rule_id = %s AND device_id = %s",
            [alarm.rule_id, alarm.device_id],
        )
        cursor.execute("SELECT pg_notify('iotpanel_rule_states', %s)", [str(alarm.device_id)])


def counts(alarms: AlarmSet) -> dict[str, Any]:
    """How many of these are open, how many of them nobody looks after, and how severe they are; and how many are shelved."""
    rows = alarms.open().values("severity").annotate(count=Count("pk"), waiting=Count("pk", filter=Q(acknowledged_at=None)))
    found = {row["severity"]: row for row in rows.order_by()}
    return {
        "active": sum(row["count"] for row in found.values()),
        "unacknowledged": sum(row["waiting"] for row in found.values()),
        "shelved": alarms.active().shelved().count(),
        "by_severity": {severity.value: found.get(severity.value, {"count": 0})["count"] for severity in Severity},
    }


__all__ = [
    "acknowledge",
    "as_json",
    "assign",
    "clear",
    "clear_for",
    "comment",
    "counts",
    "happened",
    "push",
    "raise_for",
    "shelve",
]


def in_alarm(devices: DeviceSet) -> DeviceSet:
    """Those of the devices that have an open alarm."""
    return devices.filter(pk__in=Alarm.objects.open().values("device"))
