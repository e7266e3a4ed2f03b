"""What a rule would have looked at in the past, device by device: stored readings, events, alarms, commands, and its schedule."""

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from django.db.models import Q

from devices.models import Command, Device
from iotpanel.tenants.models import Tenant
from telemetry import events, latest
from telemetry.stores import store
from telemetry.stores.clock import to_datetime, to_microseconds

from . import past
from .command_changes import said_of
from .compiled import Compiled
from .facts import Facts
from .models import AlarmEvent
from .plan import Plan

MOST_STEPS = 200_000
MOST_SEEDED = 200  # properties that a script may know from before
Values = Mapping[str, Any]
NOTHING: Values = {}


class Moment(NamedTuple):
    """Something of the past: the rule looks at it, or only takes note of the values (`looks`)."""

    at: int
    values: Values = NOTHING
    params: Values = NOTHING
    looks: bool = True


def moments(rule: Compiled, plan: Plan, device: Device, start: int, end: int, others: Iterable[int]) -> Iterator[Moment]:
    """Everything of [start, end), by time; `others` are the instants at which another device said what the rule compares with."""
    readings = past.reports(device.pk, plan, start, end)
    if rule.momentary:
        known = (Moment(at, values, looks=False) for at, values in readings)
        return heapq.merge(known, _SOURCES[rule.trigger.kind](rule, device, start, end), key=_at)
    said = (Moment(at, values) for at, values in readings)
    return heapq.merge(said, (Moment(at) for at in others), key=_at)


def _at(moment: Moment) -> int:
    return moment.at


def _events(rule: Compiled, device: Device, start: int, end: int) -> Iterator[Moment]:
    found = events.read(device.pk, start=start, end=end, name=rule.trigger.name or None, newest_first=False, limit=MOST_STEPS)
    return (Moment(to_microseconds(each.at), params={"event": each.name, **each.params}) for each in found)


def _schedule(rule: Compiled, device: Device, start: int, end: int) -> Iterator[Moment]:
    cron = rule.trigger.cron
    at = cron.after(start - 1) if cron else 0
    while cron and at and at < end:
        yield Moment(at)
        at = cron.after(at)


def _alarms(rule: Compiled, device: Device, start: int, end: int) -> Iterator[Moment]:
    """What happened to the device's alarms."""
    rows = AlarmEvent.objects.filter(alarm__device=device, kind__in=rule.trigger.changes, alarm__severity__in=rule.trigger.severities)
    rows = rows.filter(at__gte=to_datetime(start), at__lt=to_datetime(end))
    for row in rows.select_related("alarm").order_by("at", "pk")[:MOST_STEPS]:
        alarm = row.alarm
        params = {"change": row.kind, "severity": alarm.severity, "alarm": alarm.pk, "rule": alarm.rule_name}
        yield Moment(to_microseconds(row.at), params=params)


def _commands(rule: Compiled, device: Device, start: int, end: int) -> Iterator[Moment]:
    """The states that the device's commands came into."""
    rows = Command.objects.filter(device=device, created_at__lt=to_datetime(end))
    rows = rows.filter(Q(finished_at=None) | Q(finished_at__gte=to_datetime(start)))
    found = []
    for row in (rows.filter(name=rule.trigger.name) if rule.trigger.name else rows).order_by("pk")[:MOST_STEPS]:
        for step in row.history:
            at = int(step["ts"]) * 1_000
            if step["state"] in rule.trigger.states and start <= at < end:
                said = said_of(row.params, row.name, step["state"], step.get("reason", ""), row.error, row.result, row.pk)
                found.append(Moment(at, params=said))
    return iter(sorted(found, key=_at))


_SOURCES = {"event": _events, "schedule": _schedule, "alarm": _alarms, "command": _commands}


def seed(facts: Facts, device_id: int, plan: Plan, start: int) -> None:
    """What was known of a device before an instant; to a script everything is."""
    names = set(plan.names)
    if plan.lua:
        names |= set(sorted(latest.read([device_id]).get(device_id, {}))[:MOST_SEEDED])
    for name in names:
        if found := store().neighbour(device_id, name, start, True):
            facts.values[name], facts.times[name] = found.value, found.at
            facts.newest = max(facts.newest, found.at)


class Others:
    """Other devices' values as they were."""

    def __init__(self, tenant: Tenant, pairs: frozenset[tuple[str, str]], start: int, end: int) -> None:
        self._start = start
        self._series: dict[tuple[str, str], tuple[list[int], list[Any]]] = {}
        keys = {key for key, _ in pairs}
        ids = dict(Device.objects.for_tenant(tenant).filter(key__in=keys).values_list("key", "pk")) if keys else {}
        for key, name in pairs:
            before = store().neighbour(ids.get(key, 0), name, start, True)
            found = store().readings(ids.get(key, 0), [name], start, end, False, MOST_STEPS, None)
            series = ([before] if before else []) + found
            self._series[key, name] = ([each.at for each in series], [each.value for each in series])

    def instants(self) -> list[int]:
        """When any of them said what is compared, since the start."""
        return sorted({at for times, _ in self._series.values() for at in times if at >= self._start})

    def at(self, instant: int) -> dict[tuple[str, str], Any]:
        """The newest values at an instant."""
        found = {}
        for pair, (times, values) in self._series.items():
            place = bisect_right(times, instant)
            if place:
                found[pair] = values[place - 1]
        return found
