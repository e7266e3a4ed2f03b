"""What a rule would have looked at in the past, device by device: readings, attributes, who came and went, events, alarms,
commands, and its schedule."""

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from django.db.models import Q

from devices import presence_history
from devices.models import Command, Device
from devices.timestamps import to_datetime, to_microseconds
from iotpanel.tenants.models import Tenant
from telemetry import attribute_history, events, latest
from telemetry.models.attribute import Scope
from telemetry.stores import store

from . import past
from .command_changes import said_of
from .compiled import Compiled
from .facts import Facts
from .models import AlarmEvent
from .plan import Plan
from .severities import as_they_were
from .standing import Standing
from .triggers import CHANGES

MOST_STEPS = 200_000
MOST_SEEDED = 200  # properties that a script may know from before
Values = Mapping[str, Any]
NOTHING: Values = {}


class Moment(NamedTuple):
    """Something of the past: the rule looks at it, or only takes note of it (`looks`).

    Readings (`values`), attributes of a scope (`patch`), who came or went (`online`), or what happened (`params`); or the
    device came into the rule's scope, or left it (`inside`). `speaks`: the device itself has said it.
    """

    at: int
    values: Values = NOTHING
    params: Values = NOTHING
    looks: bool = True
    speaks: bool = False
    scope: str = ""
    patch: Values = NOTHING
    online: bool | None = None
    inside: bool | None = None
    sure: bool = True  # whether it is as it was, and not as it is now

    @property
    def kind(self) -> str:
        """The kind of past that it is of, "" where it is none that begins with its first moment."""
        return "readings" if self.values else "attributes" if self.scope else "presence" if self.online is not None else ""

    @property
    def fresh(self) -> Values:
        """What a condition sees as said just now."""
        return self.values or (self.patch if self.looks else NOTHING)


def attributes_of(rule: Compiled, plan: Plan) -> frozenset[str] | None:
    """The attributes that are looked at; None: all that there are."""
    return None if plan.all_attributes or rule.trigger.kind == "attributes" else plan.attributes


def moments(rule: Compiled, plan: Plan, device: Device, start: int, end: int, others: Iterable[int]) -> Iterator[Moment]:
    """Everything of [start, end), by time; `others` are the instants at which another device said what the rule compares with.

    At one instant it goes as in a batch: who is there, then what stands, then what makes the rule look.
    """
    kind = rule.trigger.kind
    said = past.reports(device.pk, plan, start, end, named=kind != "readings" and not plan.lua and not rule.needs.silence)
    readings = (Moment(at, values, looks=kind == "readings", speaks=True) for at, values in said)
    came = _presence(device, start, end, kind == "presence") if plan.presence or kind == "presence" else iter(())
    stood = _attributes(rule, plan, device, start, end)
    if kind in _SOURCES:
        return heapq.merge(came, stood, readings, _SOURCES[kind](rule, device, start, end), key=_at)
    if kind == "attributes":
        return heapq.merge(came, readings, stood, key=_at)
    looks = (Moment(at) for at in others) if kind == "readings" else iter(())
    return heapq.merge(came, stood, readings, looks, key=_at)


def crossed(changes: Iterable[tuple[int, bool]], found: Iterator[Moment]) -> Iterator[Moment]:
    """The same, with the instants at which the device came into the scope or left it, before all else of their time."""
    return heapq.merge((Moment(at, looks=False, inside=inside) for at, inside in changes), found, key=_at)


def _at(moment: Moment) -> int:
    return moment.at


def _presence(device: Device, start: int, end: int, looks: bool) -> Iterator[Moment]:
    for at, online in presence_history.between(device.pk, start, end, MOST_STEPS):
        yield Moment(at, looks=looks, online=online)


def _attributes(rule: Compiled, plan: Plan, device: Device, start: int, end: int) -> Iterator[Moment]:
    """What changed; a rule on attributes looks at what the device said, and not at what people set."""
    names, looks = attributes_of(rule, plan), rule.trigger.kind == "attributes"
    if names is not None and not names:
        return
    for at, scope, values in attribute_history.between(device.pk, start, end, names, MOST_STEPS):
        mine = scope == Scope.REPORTED
        yield Moment(at, looks=looks and mine, speaks=mine, scope=scope, patch=values)


def _events(rule: Compiled, device: Device, start: int, end: int) -> Iterator[Moment]:
    found = events.read(device.pk, start=start, end=end, name=rule.trigger.name or None, newest_first=False, limit=MOST_STEPS)
    return (Moment(to_microseconds(each.at), params={"event": each.name, **each.params}, speaks=True) for each in found)


def _schedule(rule: Compiled, device: Device, start: int, end: int) -> Iterator[Moment]:
    cron = rule.trigger.cron
    at = cron.after(start - 1) if cron else 0
    while cron and at and at < end:
        yield Moment(at)
        at = cron.after(at)


def _alarms(rule: Compiled, device: Device, start: int, end: int) -> Iterator[Moment]:
    """What happened to the device's alarms."""
    first, before = to_datetime(start), AlarmEvent.objects.filter(alarm__device=device, kind__in=CHANGES, at__lt=to_datetime(end))
    rows = before.filter(alarm__in=before.filter(at__gte=first, kind__in=rule.trigger.changes).order_by().values("alarm"))
    for row, severity, sure in as_they_were(rows.select_related("alarm").order_by("at", "pk")[:MOST_STEPS]):
        if row.at >= first and row.kind in rule.trigger.changes and severity in rule.trigger.severities:
            params = {"change": row.kind, "severity": severity, "alarm": row.alarm_id, "rule": row.alarm.rule_name}
            yield Moment(to_microseconds(row.at), params=params, sure=sure)


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


def stood(device: Device, rule: Compiled, plan: Plan, start: int) -> Standing:
    """How a device stood just before an instant."""
    names = attributes_of(rule, plan)
    scopes = attribute_history.standing(device.pk, start, names) if names is None or names else {}
    asked = plan.presence or rule.trigger.kind == "presence"
    return Standing(scopes, presence_history.standing(device.pk, start) if asked else None)


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
