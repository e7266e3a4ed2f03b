"""A rule over the past: when would it have fired, on which devices, and how often would people have been called.

The same conditions, windows and steps as live; only what moves the clock is different: the stored readings, and the
times that are over in between.
"""

import time
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from devices.exceptions import Invalid
from devices.messages import Report
from devices.models import Device
from iotpanel.tenants.models import Tenant
from telemetry.live.wire import milliseconds
from telemetry.models import Attribute

from . import past, scripts
from .act import CALLS
from .book import About
from .compiled import Compiled
from .derived import Happening
from .firing import RAISED, REPEATED, Firing
from .forwarders.contexts import iso
from .history import MOST_STEPS, Moment, Others, moments, seed
from .look import CHANGES, firing_of
from .machine import State, step
from .plan import Plan
from .problems import BadRule
from .roster import Member
from .scopes import devices_of
from .triggers import SEVERITIES

MOST_DEVICES = 500
MOST_FIRINGS = 2_000
MOST_SECONDS = 20.0
SCRIPTED = 200  # reports that scripts are asked about at once
NOT_KEPT = {
    "attributes": gettext_noop("it cannot be tried over the past: of an attribute the newest value alone is kept"),
    "presence": gettext_noop("it cannot be tried over the past: when devices came and went is not kept"),
    "scene": gettext_noop("it cannot be tried over the past: a scene is run by hand, and nothing in the past would have started it"),
}


class Limit(Exception):
    """A bound of a back-test was reached; the text says which."""


class Backtest:
    def __init__(self, rule: Compiled, tenant: Tenant, start: int, end: int) -> None:
        if rule.trigger.kind in NOT_KEPT:
            raise BadRule("trigger", NOT_KEPT[rule.trigger.kind])
        if rule.needs.presence:
            raise BadRule("when", "it cannot be tried over the past: whether a device was online is known for now alone")
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
            "assumed": self._assumed(),
        }

    def _assumed(self) -> list[str]:
        """In what this is not as it would have been."""
        trigger = self.rule.trigger
        severities = trigger.kind == "alarm" and len(trigger.severities) < len(SEVERITIES)
        found = {
            "attributes count as they are now": bool(self.plan.attributes),
            "severities of alarms count as they are now": severities,
            "groups and labels count as they are now": self.rule.scope.group is not None or bool(self.rule.scope.labels),
        }
        return [text for text, so in found.items() if so]

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
        self._demand_time()
        member = Member(device.pk, device.name, About(self.tenant.pk, device.key, device.product.key, frozenset(), {}), self.plan)
        facts = member.facts
        past.recall(device.pk, facts, self.plan, {}, (self.start, self.start))
        seed(facts, device.pk, self.plan, self.start)
        facts.attributes = dict(Attribute.objects.filter(device=device).values_list("key", "value")) if self.plan.attributes else {}
        others = Others(self.tenant, self.plan.others, self.start, self.end)
        state = State()
        for moment in self._answered(member, moments(self.rule, self.plan, device, self.start, self.end, others.instants())):
            self._overdue(member, state, moment.at, others)
            facts.take(moment.at, moment.values)
            facts.put(self.plan.windows, moment.at, moment.values)
            if moment.looks:
                facts.params = moment.params
                self._count(member, moment)
                self._step(member, state, others)
        self._overdue(member, state, self.end, others)

    def _count(self, member: Member, moment: Moment) -> None:
        for counter in self.rule.counters if moment.values else ():
            if counter.test(member.facts):
                member.facts.windows[counter.window].add(moment.at, 1.0)

    def _answered(self, member: Member, found: Iterator[Moment]) -> Iterator[Moment]:
        """The moments, the rule's scripts asked about them: some at a time, in one call to the sandbox."""
        if not self.plan.lua:
            yield from found
            return
        while some := list(islice(found, SCRIPTED)):
            self._demand_time()
            said = [self._said(member, moment) for moment in some]
            answers = scripts.run([(member, each) for each in said])
            for moment, each in zip(some, said, strict=True):
                member.facts.lua = answers.of(each)
                yield moment

    def _said(self, member: Member, moment: Moment) -> Report | Happening:
        """What made the rule look then."""
        if moment.values:
            return Report(member.id, moment.at, dict(moment.values), moment.at)
        return Happening(member.id, moment.at, self.rule.trigger.kind, dict(moment.params), self.rule.id)

    def _overdue(self, member: Member, state: State, until: int, others: Others) -> None:
        """Look at all times that are over before an instant."""
        while state.due and state.due < until:
            member.facts.at, member.facts.fresh = state.due, {}
            state.due = 0
            self._step(member, state, others)

    def _demand_time(self) -> None:
        if time.monotonic() > self._until:
            raise Limit(_("only what could be looked at in %(seconds)d seconds") % {"seconds": MOST_SECONDS})

    def _step(self, member: Member, state: State, others: Others) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Limit(_("only %(most)d readings were looked at") % {"most": MOST_STEPS})
        if self.steps % 256 == 0:
            self._demand_time()
        if self.plan.others:
            member.facts.others = others.at(member.facts.at)
        try:
            change = step(self.rule, state, member.facts)
        except Invalid as error:
            about = {"device": member.about.key, "at": iso(member.facts.at), "error": error}
            raise Limit((_("the script failed on %(device)s at %(at)s: %(error)s") % about)[:500]) from error
        if change is not None:
            if len(self.firings) >= MOST_FIRINGS:
                raise Limit(_("only the first %(most)d firings are shown") % {"most": MOST_FIRINGS})
            self.firings.append(firing_of(self.rule, member, CHANGES[change], 0))


def _shown(firing: Firing) -> dict[str, Any]:
    return {
        "device": firing.device_key,
        "device_name": firing.device_name,
        "ts": milliseconds(firing.at),
        "change": firing.change,
        "value": firing.value,
        "values": {**firing.values, **firing.computed},
    }
