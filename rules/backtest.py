"""A rule over the past: when would it have fired, on which devices, and how often would people have been called.

The same conditions, windows and steps as live; only what moves the clock is different: the stored readings, and the
times that are over in between.
"""

import time
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from devices.exceptions import Invalid
from devices.messages import AttributeReport, Report
from devices.models import Device
from iotpanel.tenants.models import Tenant
from telemetry.live.wire import milliseconds

from . import past, scripts
from .act import CALLS
from .book import About
from .compiled import Compiled
from .derived import Happening
from .facts import Facts
from .firing import RAISED, REPEATED, Firing
from .forwarders.contexts import iso
from .history import MOST_STEPS, Moment, Others, crossed, moments, seed, stood
from .known import HAPPENED, KINDS, Known, kept_since, kinds_of
from .look import CHANGES, firing_of
from .machine import State, step
from .memberships import Course, Memberships
from .plan import Plan
from .problems import BadRule
from .roster import Member
from .standing import Standing
from .triggers import SEVERITIES

MOST_DEVICES = 500
MOST_FIRINGS = 2_000
MOST_SECONDS = 20.0
SCRIPTED = 200  # reports that scripts are asked about at once
NO_PAST = gettext_noop("it cannot be tried over the past: a scene is run by hand, and nothing in the past would have started it")
Answers = Mapping[Any, Any]
NO_ANSWERS: Answers = {}


class Limit(Exception):
    """A bound of a back-test was reached; the text says which."""


class Backtest:
    def __init__(self, rule: Compiled, tenant: Tenant, start: int, end: int) -> None:
        if rule.trigger.kind == "scene":
            raise BadRule("trigger", NO_PAST)
        self.rule, self.tenant, self.start, self.end = rule, tenant, start, end
        self.plan = Plan([rule])
        self.firings: list[Firing] = []
        self.known = Known(start, kinds_of(rule, self.plan))
        self.memberships = Memberships(tenant, rule.scope, start, end)
        self.unsure = False  # whether a severity of now had to do for that of then
        self.supposed = False  # whether the groups and labels of a later time had to do
        self.steps = 0
        self._until = time.monotonic() + MOST_SECONDS

    def run(self) -> dict[str, Any]:
        """What would have happened, as REST shows it."""
        devices = self.memberships.devices()
        count, done, others, stopped = devices.count(), 0, 0, ""
        try:
            for device in devices.select_related("product")[:MOST_DEVICES]:
                if not (course := self.memberships.course(device)).ever:
                    others += 1
                    continue
                self._device(device, course)
                done += 1
            if count > MOST_DEVICES:
                stopped = _("only the first %(most)d devices were looked at") % {"most": MOST_DEVICES}
        except Limit as limit:
            stopped = str(limit)
        self.firings.sort(key=lambda firing: firing.at)
        return {
            "devices": count - others,
            "devices_done": done,
            "looks": self.steps,
            "firings": [_shown(firing) for firing in self.firings],
            "alarms": sum(firing.change == RAISED for firing in self.firings) if self._has("alarm") else 0,
            "notifications": self._notifications(),
            "stopped": stopped,
            "known": self.known.shown(),
            "assumed": self._assumed(),
        }

    def _assumed(self) -> list[str]:
        """In what this is not as it would have been."""
        trigger = self.rule.trigger
        found = {
            _("attributes that were said again unchanged are not kept, and not looked at"): trigger.kind == "attributes",
            _("severities of alarms count as they are now"): self.unsure and len(trigger.severities) < len(SEVERITIES),
            _("before groups and labels are known, they count as they were first known"): self.supposed,
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

    def _device(self, device: Device, course: Course) -> None:
        self._demand_time()
        member = Member(device.pk, device.name, About(self.tenant.pk, device.key, device.product.key, frozenset(), {}), self.plan)
        self._learn(member, self.start)
        standing = stood(device, self.rule, self.plan, self.start)
        first = self._first(member.facts, standing)
        others = Others(self.tenant, self.plan.others, self.start, self.end)
        state, inside = State(), course.began
        found = crossed(course.changes, moments(self.rule, self.plan, device, self.start, self.end, others.instants()))
        try:
            for moment, answers in self._answered(member, standing.ahead(), found):
                if inside:
                    self._overdue(member, state, moment.at, others, standing)
                if moment.inside is not None:
                    inside = moment.inside
                    state = self._met_again(member, state, moment.at) if inside else state
                    continue
                first.setdefault(moment.kind, moment.at)
                _take(member.facts, self.plan, standing, moment)
                if moment.looks and inside:
                    member.facts.params, member.facts.lua = moment.params, answers
                    standing.tell(member.facts, moment.speaks)
                    self.unsure = self.unsure or not moment.sure
                    self._count(member, moment)
                    self._step(member, state, others)
            if inside:
                self._overdue(member, state, self.end, others, standing)
        finally:
            self.supposed = self.supposed or course.since > self.start
            for kind in KINDS:
                self.known.note(kind, self._since(kind, device, course, first))

    def _since(self, kind: str, device: Device, course: Course, first: Mapping[str, int]) -> int | None:
        """From when on a kind of a device's past is known."""
        if kind == "memberships":
            return course.since
        return kept_since(kind, device) if kind in HAPPENED.values() else first.get(kind)

    def _learn(self, member: Member, at: int) -> None:
        """Know what the store knew of a device just before an instant."""
        past.recall(member.id, member.facts, self.plan, {}, (at, at))
        seed(member.facts, member.id, self.plan, at)

    def _met_again(self, member: Member, state: State, at: int) -> State:
        """A device comes into the scope: as it is live, nothing is remembered of it but its state, and that only until its time is over."""
        self._demand_time()
        member.forget()
        self._learn(member, at)
        return State() if state.due and state.due < at else state

    def _first(self, facts: Facts, standing: Standing) -> dict[str, int]:
        """What of a device is known from the start."""
        found = {"readings": facts.newest > 0, "attributes": standing.is_known, "presence": standing.online is not None}
        return {kind: self.start for kind, so in found.items() if so}

    def _count(self, member: Member, moment: Moment) -> None:
        for counter in self.rule.counters if moment.fresh else ():
            if counter.test(member.facts):
                member.facts.windows[counter.window].add(moment.at, 1.0)

    def _answered(self, member: Member, ahead: Standing, found: Iterator[Moment]) -> Iterator[tuple[Moment, Answers]]:
        """The moments, and what the rule's scripts say to each: asked some at a time, in one call to the sandbox."""
        if not self.plan.lua:
            yield from ((moment, NO_ANSWERS) for moment in found)
            return
        while some := list(islice(found, SCRIPTED)):
            self._demand_time()
            said = [self._said(member, moment) for moment in some]
            attributes = {}
            for moment, each in zip(some, said, strict=True):
                if moment.scope:
                    ahead.change(moment.scope, moment.patch)
                attributes[id(each)] = ahead.attributes
            answers = scripts.run([(member, each) for each in said if each is not None], attributes)
            yield from ((moment, answers.of(each)) for moment, each in zip(some, said, strict=True))

    def _said(self, member: Member, moment: Moment) -> Report | AttributeReport | Happening | None:
        """What made the rule look then, or what its scripts know since; None where nothing did."""
        if moment.values:
            return Report(member.id, moment.at, dict(moment.values), moment.at)
        if not moment.looks:
            return None
        if moment.patch:
            return AttributeReport(member.id, moment.at, dict(moment.patch), moment.at)
        return Happening(member.id, moment.at, self.rule.trigger.kind, dict(moment.params), self.rule.id)

    def _overdue(self, member: Member, state: State, until: int, others: Others, standing: Standing) -> None:
        """Look at all times that are over before an instant."""
        while state.due and state.due < until:
            member.facts.at, member.facts.fresh = state.due, {}
            member.facts.lua = scripts.again(member, self.rule, state.due)
            standing.tell(member.facts)
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


def _take(facts: Facts, plan: Plan, standing: Standing, moment: Moment) -> None:
    """Know what a moment says."""
    facts.at, facts.fresh = moment.at, moment.fresh
    if moment.values:
        facts.take(moment.at, moment.values)
        facts.put(plan.windows, moment.at, moment.values)
    if moment.scope:
        standing.change(moment.scope, moment.patch)
    if moment.online is not None:
        standing.online = moment.online


def _shown(firing: Firing) -> dict[str, Any]:
    return {
        "device": firing.device_key,
        "device_name": firing.device_name,
        "ts": milliseconds(firing.at),
        "change": firing.change,
        "value": firing.value,
        "values": {**firing.values, **firing.computed},
    }
