"""A rule over the past: when would it have fired, on which devices, and how often would people have been called.

The same conditions, windows and steps as live; only what moves the clock is different: the stored readings, and the
times that are over in between.
"""

import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.db.models import QuerySet

from devices.models import Device
from iotpanel.tenants.models import Tenant
from telemetry import events
from telemetry.live.wire import milliseconds
from telemetry.models import Attribute
from telemetry.stores import store
from telemetry.stores.clock import to_microseconds

from . import past
from .act import CALLS
from .book import About
from .compiled import Compiled
from .firing import RAISED, REPEATED, Firing
from .look import CHANGES, firing_of
from .machine import State, step
from .plan import Plan
from .problems import BadRule
from .roster import Member
from .scopes import devices_of

MOST_DEVICES = 500
MOST_STEPS = 200_000
MOST_FIRINGS = 2_000
MOST_SECONDS = 20.0
TRIED = frozenset({"readings", "event", "schedule"})


class Limit(Exception):
    """A bound of a back-test was reached; the text says which."""


class Moment(NamedTuple):
    """Something of the past that the rule looks at."""

    at: int
    values: Mapping[str, Any]
    params: Mapping[str, Any]


class Backtest:
    def __init__(self, rule: Compiled, tenant: Tenant, start: int, end: int) -> None:
        if rule.trigger.kind not in TRIED:
            raise BadRule("trigger", f"only {', '.join(sorted(TRIED))} can be tried over the past")
        if rule.needs.lua or rule.needs.presence:
            raise BadRule("when", "scripts and presence cannot be tried over the past")
        self.rule, self.tenant, self.start, self.end = rule, tenant, start, end
        self.plan = Plan([rule])
        self.firings: list[Firing] = []
        self.steps = 0
        self._until = time.monotonic() + MOST_SECONDS

    def run(self, scope: Mapping[str, Any]) -> dict[str, Any]:
        """What would have happened, as REST shows it."""
        devices: QuerySet[Device] = devices_of(self.tenant, scope)
        count, done, stopped = devices.count(), 0, ""
        try:
            for device in devices.select_related("product")[:MOST_DEVICES]:
                self._device(device)
                done += 1
            if count > MOST_DEVICES:
                stopped = f"only the first {MOST_DEVICES} devices were looked at"
        except Limit as limit:
            stopped = str(limit)
        self.firings.sort(key=lambda firing: firing.at)
        return {
            "devices": count,
            "devices_done": done,
            "looks": self.steps,
            "firings": [_shown(firing) for firing in self.firings],
            "alarms": sum(firing.change == RAISED for firing in self.firings) if self._has("alarm") else 0,
            "notifications": self._notifications(),
            "stopped": stopped,
        }

    def _has(self, kind: str) -> bool:
        return any(action["kind"] == kind for action in self.rule.actions)

    def _notifications(self) -> int:
        """How often people or other systems would have been called."""
        count = 0
        for action in self.rule.actions:
            wanted = action.get("on") or (RAISED, REPEATED)
            if action["kind"] in CALLS:
                count += sum(firing.change in wanted for firing in self.firings)
        return count

    def _device(self, device: Device) -> None:
        member = Member(device.pk, device.name, About(self.tenant.pk, device.key, device.product.key, frozenset(), {}), self.plan)
        facts = member.facts
        newest = dict.fromkeys(self.plan.names, (None, self.start))
        past.recall(device.pk, facts, self.plan, newest, (self.start, self.start))
        facts.attributes = dict(Attribute.objects.filter(device=device).values_list("key", "value")) if self.plan.attributes else {}
        others = Others(self.tenant, self.plan.others, self.start, self.end)
        state = State()
        for moment in self._moments(device):
            self._overdue(member, state, moment.at, others)
            facts.take(moment.at, moment.values)
            facts.put(self.plan.windows, moment.at, moment.values)
            facts.params = moment.params
            for counter in self.rule.counters:
                if counter.test(facts):
                    facts.windows[counter.window].add(facts.at, 1.0)
            self._step(member, state, others)
        self._overdue(member, state, self.end, others)

    def _moments(self, device: Device) -> Iterator[Moment]:
        kind = self.rule.trigger.kind
        if kind == "event":
            name = self.rule.trigger.name or None
            found = events.read(device.pk, start=self.start, end=self.end, name=name, newest_first=False, limit=MOST_STEPS)
            yield from (Moment(to_microseconds(each.at), {}, {"event": each.name, **each.params}) for each in found)
        elif self.rule.trigger.cron is not None:
            at = self.rule.trigger.cron.after(self.start - 1)
            while at and at < self.end:
                yield Moment(at, {}, {})
                at = self.rule.trigger.cron.after(at)
        else:
            for at, values in past.reports(device.pk, self.plan, self.start, self.end):
                yield Moment(at, values, {})

    def _overdue(self, member: Member, state: State, until: int, others: "Others") -> None:
        """Look at all times that are over before an instant."""
        while state.due and state.due < until:
            member.facts.at, member.facts.fresh = state.due, {}
            state.due = 0
            self._step(member, state, others)

    def _step(self, member: Member, state: State, others: "Others") -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Limit(f"only {MOST_STEPS} readings were looked at")
        if self.steps % 256 == 0 and time.monotonic() > self._until:
            raise Limit(f"only what could be looked at in {MOST_SECONDS:.0f} seconds")
        if self.plan.others:
            member.facts.others = others.at(member.facts.at)
        change = step(self.rule, state, member.facts)
        if change is not None:
            if len(self.firings) >= MOST_FIRINGS:
                raise Limit(f"only the first {MOST_FIRINGS} firings are shown")
            self.firings.append(firing_of(self.rule, member, CHANGES[change], 0))


class Others:
    """Other devices' values as they were."""

    def __init__(self, tenant: Tenant, pairs: frozenset[tuple[str, str]], start: int, end: int) -> None:
        self._series: dict[tuple[str, str], tuple[list[int], list[Any]]] = {}
        ids = dict(Device.objects.for_tenant(tenant).filter(key__in={key for key, _ in pairs}).values_list("key", "pk"))
        for key, name in pairs:
            before = store().neighbour(ids.get(key, 0), name, start, True)
            found = store().readings(ids.get(key, 0), [name], start, end, False, MOST_STEPS, None)
            series = ([before] if before else []) + found
            self._series[key, name] = ([each.at for each in series], [each.value for each in series])

    def at(self, instant: int) -> dict[tuple[str, str], Any]:
        """The newest values at an instant."""
        found = {}
        for pair, (times, values) in self._series.items():
            place = bisect_right(times, instant)
            if place:
                found[pair] = values[place - 1]
        return found


def _shown(firing: Firing) -> dict[str, Any]:
    return {
        "device": firing.device_key,
        "device_name": firing.device_name,
        "ts": milliseconds(firing.at),
        "change": firing.change,
        "value": firing.value,
        "values": {**firing.values, **firing.computed},
    }
