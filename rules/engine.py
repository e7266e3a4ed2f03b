"""Rules on a batch, in its transaction: what was said -> which rules does it concern -> what changed -> do it.

hear        only devices that a rule concerns; for all others nothing is done at all
look        each rule that a report touches takes one step (rules/machine.py)
keep        the states that changed, by their versions; who comes too late looks again
act         the actions of what changed, which may make readings and alarms that rules look at in turn
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from threading import local
from typing import Any

import structlog
from django.db import transaction

from devices.exceptions import Unavailable
from devices.messages import AttributeReport, EventReport, Presence, Report
from iotpanel import metrics
from telemetry.uplink.memory import memory

from . import act, command_changes, derived, states, tallies, trace
from .book import Book
from .dependants import Dependants
from .derived import Happening, Thing
from .extras import concerns_plan
from .look import Look
from .notes import listening
from .roster import BEHIND, Member, Roster

MOST_HOPS = 8
TRIES = 4
log = structlog.get_logger(__name__)
Said = Report | AttributeReport | EventReport | Presence | Happening
_thread = local()


class Engine:
    """One per thread: what it remembers is never shared."""

    def __init__(self) -> None:
        self.book = Book()
        self.roster = Roster(self.book)
        self.dependants = Dependants(self.book)
        self._generation = -1
        self._rollbacks = -1
        self.busy = False

    def fresh(self) -> bool:
        """Forget what may no longer be true; whether there is any rule at all."""
        known = memory()
        if known.rollbacks != self._rollbacks:
            self._rollbacks = known.rollbacks
            self.roster.clear()
        if known.directory.generation != self._generation:
            self._generation = known.directory.generation
            self.book.read()
            self.dependants.read()
            self.roster.sort_anew()
        return bool(self.book)

    def run(self, said: Sequence[Said], hops: int = 0) -> None:
        """Let the rules see this, in the caller's transaction. Raises Unavailable where others change the same all the time."""
        remember = memory().lasting
        said = [*said, *others] if (others := self.dependants.looks(said)) else said
        members = self.roster.members({each.device_id for each in said})
        concerned = [
            (member, each)
            for each in said
            if (member := members.get(each.device_id)) is not None and (type(each) is Report or concerns_plan(member.plan, each))
        ]
        if not concerned:
            return
        spans = _spans(concerned)
        self.roster.forget(listening().changed(remember, spans))
        strangers = self.roster.strangers(spans) if others else set()
        self.roster.forget(strangers)
        for attempt in range(TRIES):
            look = Look(self.roster, spans, hops, lock=attempt > 0)
            try:
                with transaction.atomic():
                    look.over(concerned)
                    look.keep()
                break
            except states.Stale:
                metrics.RULE_RETRIES.inc()
                self.roster.forget(spans)
        else:
            raise Unavailable("the states of these rules change faster than they can be looked at")
        if not memory().lasting:
            self.roster.forget(spans)
            states.tell(spans)
        elif strangers:
            self.roster.forget(strangers)
            states.tell(strangers & {device_id for _, device_id in look.dirty})
        self.settle(look)

    def settle(self, look: Look) -> None:
        """Do what the rules ask for, and let rules look at what comes of it."""
        metrics.RULE_STEPS.inc(look.stepped)
        tallies.add(look.held.tally)
        if look.notes:
            transaction.on_commit(partial(trace.keep, look.notes))
        with self._working():
            act.on(look, self.book.maintenances)
        for hops, things in derived.take():
            if hops <= MOST_HOPS:
                self.run(things, hops)
            else:
                act.cut(look, hops - 1)

    def follow(self, groups: Sequence[tuple[int, Sequence[Thing]]]) -> None:
        """Look at what came of something outside a batch, in the caller's transaction."""
        for hops, things in groups:
            if hops <= MOST_HOPS:
                self.run(things, hops)
            else:
                act.cut_things(things, hops - 1)

    @contextmanager
    def _working(self) -> Iterator[None]:
        """What changes meanwhile is ours: it is looked at once the actions are done."""
        before, self.busy = self.busy, True
        try:
            yield
        finally:
            self.busy = before


def _spans(concerned: Sequence[tuple[Member, Said]]) -> Mapping[int, tuple[int, int]]:
    """The first and last instant of each device; of one that says nothing itself, that all is behind it."""
    found: dict[int, tuple[int, int]] = {}
    for member, each in concerned:
        if type(each) is Happening and each.kind == "other":
            continue
        low, high = found.get(member.id, (each.at, each.at))
        found[member.id] = min(low, each.at), max(high, each.at)
    return dict.fromkeys((member.id for member, _ in concerned), BEHIND) | found


def engine() -> Engine:
    """This thread's engine."""
    if not hasattr(_thread, "engine"):
        _thread.engine = Engine()
    found: Engine = _thread.engine
    return found


def sink(said: Sequence[Any]) -> None:
    """An UPLINK_SINK: see what a batch stored."""
    if said and (mine := engine()).fresh():
        derived.take()  # what a batch left that was rolled back
        with metrics.RULE_SECONDS.time():
            mine.run(said)


def change_sink(changed: Sequence[Any]) -> None:
    """A CHANGE_SINK: see who came and went, and what became of commands."""
    if seen := [change for change in changed if isinstance(change, Presence)]:
        _refresh()
        sink(seen)
    for hops, happening in command_changes.happened(changed):
        derived.add(happening, hops=hops)
    see_derived()


def see_derived() -> None:
    """Let rules see what came of something outside a batch, such as an alarm that a person cleared, in the caller's transaction.

    While rules act it waits until they are done.
    """
    if (mine := engine()).busy:
        return
    if groups := derived.take():
        _refresh()
        if mine.fresh():
            mine.follow(groups)


def _refresh() -> None:
    """Learn what changed in the registry, where no batch has done so a moment ago."""
    if not memory().lasting:
        memory().directory.refresh()
