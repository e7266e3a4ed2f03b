"""One look of the rules at what a batch says: every rule that it touches takes a step."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from devices.messages import AttributeReport, EventReport, Presence, Report
from telemetry.uplink.memory import memory

from . import extras, scripts, trace
from .compiled import Compiled
from .durations import SECOND, show_span
from .firing import CLEARED, RAISED, REPEATED, Firing
from .machine import AGAIN, BEGAN, ENDED, State, step
from .quota import WORDS, Held, hold_back
from .roster import Member, Roster
from .states import Changed, tell, write

CAUGHT_UP = 5 * SECOND  # by which a report is nearer to its own time than those before it, to count as such
CHANGES = {BEGAN: RAISED, AGAIN: REPEATED, ENDED: CLEARED}
Said = Report | AttributeReport | EventReport | Presence


class Look:
    """Collects the firings by rule, the states to write, and the rules that failed."""

    def __init__(self, roster: Roster, spans: Mapping[int, tuple[int, int]], hops: int, *, lock: bool) -> None:
        self.hops = hops
        self.firings: dict[int, tuple[Compiled, list[Firing]]] = {}
        self.failures: dict[int, tuple[Compiled, Exception]] = {}
        self.dirty: dict[tuple[int, int], State] = {}
        self.notes: list[trace.Note] = []
        self._noted: dict[int, int] = {}
        self._said: set[int] = set()
        self._watched = trace.watched()
        self._sampler = trace.sampler()
        self._sampler.begin(time.monotonic())
        self._due = self._sampler.due
        self.held = Held()
        self.stepped = 0
        self._now = time.time_ns() // 1_000 if memory().replaying else 0  # else what counts is the device's newest report
        self._roster = roster
        roster.warm_up(spans, lock=lock)

    def over(self, concerned: Sequence[tuple[Member, Any]]) -> None:
        """Look at everything, in order."""
        extras.fetch([member for member, _ in concerned])
        answers = scripts.run(concerned)
        for member, each in concerned:
            if type(each) is Report:
                self._report(member, each, answers)
            else:
                if member.plan.lua:
                    member.facts.lua = answers.of(each)
                self._other(member, each)

    def keep(self) -> None:
        """Write the states that changed. Raises Stale."""
        if self.dirty:
            write([Changed(rule_id, device_id, state) for (rule_id, device_id), state in self.dirty.items()])

    def tell(self) -> None:
        """Have the process that remembers these devices forget those whose states were written."""
        tell({device_id for _, device_id in self.dirty})

    def again(self, member: Member, rule_id: int, at: int) -> None:
        """Look at a device although nothing came, because a time is over."""
        rule, state = member.plan.rules[rule_id], member.states.get(rule_id)
        if state is None:
            return
        extras.fetch([member])
        member.facts.at, member.facts.fresh, member.facts.lua = at, {}, scripts.again(member, rule, at)
        state.due, state.dirty = 0, True
        self._step(rule, member, at + state.skew)

    def _report(self, member: Member, report: Report, answers: scripts.Scripts) -> None:
        facts, plan, at, values = member.facts, member.plan, report.at, report.values
        member.mine = True
        newest = max(facts.newest, self._now)
        late = at < newest
        if late and at < newest - plan.lateness:
            late_by = f"It is older than what may count, by {show_span((newest - at) // SECOND * SECOND)}: stored, and not looked at."
            self.notes += [trace.said(id, member.about.key, at, late_by) for id in plan.rules if id in self._watched]
            return
        touched = plan.touched(tuple(values))
        facts.take(at, values)
        if plan.windows:
            facts.put(plan.windows, at, values)
        if plan.lua:
            facts.lua = answers.of(report)
        for rule in touched:
            if not late or at >= newest - rule.lateness:
                self._step(rule, member, report.received_at)

    def _other(self, member: Member, each: Any) -> None:
        facts = member.facts
        kind = extras.kind_of(each)
        if kind == "other":
            self._dependant(member, each)
            return
        facts.at, facts.fresh, facts.params = each.at, extras.fresh_of(each), extras.params_of(each)
        if kind == "presence":
            facts.online = each.online
        for rule in member.plan.of(kind):
            if extras.concerns(rule, each) and self._counts(rule, each):
                self._step(rule, member, getattr(each, "received_at", each.at))

    def _dependant(self, member: Member, each: Any) -> None:
        """Another device said something that a rule compares with: look, at what is known of this one."""
        rule = member.plan.rules[each.rule_id]
        if self._counts(rule, each):
            member.facts.at, member.facts.fresh = max(each.at, member.facts.newest), {}
            self._step(rule, member, each.params["received_at"])

    def _counts(self, rule: Compiled, each: Any) -> bool:
        """Whether it is not too old; only what is replayed can be."""
        return not self._now or each.at >= self._now - rule.lateness

    def _step(self, rule: Compiled, member: Member, received_at: int) -> None:
        facts, states = member.facts, member.states
        self.stepped += 1
        state = states.get(rule.id)
        try:
            for counter in rule.counters:
                if facts.fresh and counter.test(facts):
                    facts.windows[counter.window].add(facts.at, 1.0)
            if state is None:
                state = State()
            change = step(rule, state, facts)
        except Exception as error:  # whatever it is: it is this rule's, and others go on
            self.failures.setdefault(rule.id, (rule, error))
            return
        if change is not None and (fate := self.held.judge(rule, change)):
            hold_back(rule, state, facts.at, fate)
            change = None
            self._say(rule, member, WORDS[fate])
        if state.due and state.skew - (received_at - facts.at) > CAUGHT_UP:
            state.dirty = True  # it had sent what it had kept, and is up to date now: what waits for a time waits no longer than that
        if state.dirty:
            state.skew = received_at - facts.at
            states[rule.id] = state
            self.dirty[rule.id, member.id] = state
        if change is not None:
            self._fire(rule, member, CHANGES[change])
        if change is not None or rule.id in self._watched:
            self._note(rule, member, state, change)
        elif self._sampler.left and self._due.get(rule.id, 0.0) <= self._sampler.now and self._sampler.takes(rule.id):
            self.notes.append(trace.note(rule, member, state, None, self.hops, sample=True))

    def _say(self, rule: Compiled, member: Member, text: str) -> None:
        """Note something that is no step, once for each rule."""
        if rule.id not in self._said:
            self._said.add(rule.id)
            self.notes.append(trace.said(rule.id, member.about.key, member.facts.at, text))

    def _note(self, rule: Compiled, member: Member, state: State, change: str | None) -> None:
        count = self._noted[rule.id] = self._noted.get(rule.id, 0) + 1
        if count <= trace.MOST_AT_ONCE:
            self.notes.append(trace.note(rule, member, state, change, self.hops))

    def _fire(self, rule: Compiled, member: Member, change: str) -> None:
        firing = firing_of(rule, member, change, self.hops)
        self.firings.setdefault(rule.id, (rule, []))[1].append(firing)


def firing_of(rule: Compiled, member: Member, change: str, hops: int) -> Firing:
    """What the actions are told."""
    facts = member.facts
    values: dict[str, Any] = {name: facts.values[name] for name in rule.names if name in facts.values}
    values |= facts.params if rule.momentary else {}
    values = values or dict(facts.fresh)
    computed = {name: number for name, get in rule.formulas if (number := get(facts)) is not None} if rule.formulas else {}
    value = facts.values.get(rule.leading) if rule.leading else next(iter(values.values()), None)
    about = member.about
    return Firing(
        rule.tenant_id, rule.id, rule.name, member.id, about.key, facts.at, change, values, hops, member.name, value, False, computed
    )  # fmt: skip
