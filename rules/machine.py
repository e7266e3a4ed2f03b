"""What a rule does with a device, step by step: quiet, waiting for its time, raised, quiet again. Pure Python.

The same steps run on live batches, in the sweep of each second, and in a back-test over the past.
"""

from typing import Final, Protocol

from .conditions import Test
from .facts import Facts
from .moments import Hours

QUIET, HOLDING, RAISED = range(3)
BEGAN: Final = "raised"
ENDED: Final = "cleared"
AGAIN: Final = "repeated"


class State:
    """What is remembered between two steps. `due` is on the device's clock; `dirty` says that it has to be written."""

    __slots__ = ("dirty", "due", "fired_at", "off_since", "phase", "since", "skew", "version")

    def __init__(self) -> None:
        self.phase = QUIET
        self.since = self.off_since = self.fired_at = self.due = self.skew = 0
        self.version = 0
        self.dirty = False


class Timing(Protocol):
    """What a step needs of a rule. Spans are µs, 0 where there is none."""

    @property
    def test(self) -> Test: ...
    @property
    def clear(self) -> Test | None: ...
    @property
    def hold(self) -> int: ...
    @property
    def clear_hold(self) -> int: ...
    @property
    def cooldown(self) -> int: ...
    @property
    def active(self) -> Hours | None: ...
    @property
    def every(self) -> bool: ...
    @property
    def momentary(self) -> bool: ...


def step(rule: Timing, state: State, facts: Facts) -> str | None:
    """Look at the device once; what changed, if anything. Notes in the state when to look again without a report."""
    facts.due, phase = 0, state.phase
    found = _when_raised(rule, state, facts) if state.phase == RAISED else _when_quiet(rule, state, facts)
    if rule.momentary:  # what happened is over: a later look would find nothing that had happened
        return found
    if state.phase != phase:
        state.due = facts.due
    elif facts.due and (not state.due or facts.due < state.due):  # one that is too early only looks again
        state.due = facts.due
        state.dirty = True
    return found


def _when_quiet(rule: Timing, state: State, facts: Facts) -> str | None:
    at = facts.at
    so = rule.test(facts)
    if so and rule.active is not None:
        so = rule.active.hold(at)
        facts.wake(rule.active.changes(at))
    if not so:
        if state.phase == HOLDING and so is False:
            state.phase, state.since, state.dirty = QUIET, 0, True
        return None
    if rule.hold:
        if state.phase == QUIET:
            state.phase, state.since, state.dirty = HOLDING, at, True
        if at - state.since < rule.hold:
            facts.wake(state.since + rule.hold)
            return None
    if rule.cooldown and state.fired_at and at < state.fired_at + rule.cooldown:
        if not rule.momentary:
            facts.wake(state.fired_at + rule.cooldown)
        return None
    return _begin(rule, state, at)


def _begin(rule: Timing, state: State, at: int) -> str:
    state.phase = QUIET if rule.momentary else RAISED
    state.since = state.fired_at = at
    state.off_since = 0
    state.dirty = state.dirty or bool(rule.cooldown) or not rule.momentary
    return BEGAN


def _when_raised(rule: Timing, state: State, facts: Facts) -> str | None:
    at = facts.at
    so = rule.test(facts) if rule.clear is None or rule.every else None
    over = rule.clear(facts) if rule.clear is not None else None if so is None else not so
    if not over:
        if state.off_since:
            state.off_since, state.dirty = 0, True
        return AGAIN if rule.every and so else None
    if rule.clear_hold:
        if not state.off_since:
            state.off_since, state.dirty = at, True
        if at - state.off_since < rule.clear_hold:
            facts.wake(state.off_since + rule.clear_hold)
            return None
    state.phase, state.since, state.off_since, state.dirty = QUIET, 0, 0, True
    return ENDED
