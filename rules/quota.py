"""How often a tenant's rules may act: so many firings a minute. What is held back is counted and said, never dropped in silence.

A rule that lasts is looked at again, so that its alarm comes later; what happens once and is over (an event, a reading
of a rule that acts on each) is skipped. What clears always goes through, and so do calculated readings, which come no
faster than the readings that they are made of.
"""

import time
from collections import Counter
from threading import Lock
from typing import Final

from django.conf import settings

from .compiled import Compiled
from .durations import SECOND
from .machine import AGAIN, ENDED, HOLDING, QUIET, State

POSTPONED: Final = "postponed"
SKIPPED: Final = "skipped"
WORDS: Final = {
    POSTPONED: "Held back: this tenant's rules have acted as often as they may in a minute. It is looked at again.",
    SKIPPED: "Skipped: this tenant's rules have acted as often as they may in a minute.",
}
LOOK_AGAIN: Final = 15 * SECOND  # µs after which a rule that was held back looks again


class Quota:
    """A bucket for each tenant, filled anew over a minute. One for all threads of the process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._buckets: dict[int, tuple[float, float]] = {}  # what is left, and since when

    def allows(self, tenant_id: int) -> bool:
        """Take one firing out of the tenant's bucket; False where it is empty."""
        most, now = settings.RULE_FIRINGS_PER_MINUTE, time.monotonic()
        with self._lock:
            left, since = self._buckets.get(tenant_id, (float(most), now))
            left = min(float(most), left + (now - since) * most / 60)
            allowed = left >= 1
            self._buckets[tenant_id] = (left - allowed, now)
            return allowed

    def forget(self) -> None:
        self._buckets.clear()


QUOTA: Final = Quota()


def counts(rule: Compiled) -> bool:
    """Whether a rule does more than reckon."""
    return any(action["kind"] != "reading" for action in rule.actions)


class Held:
    """What a look counts of firings, by tenant: those that go ahead, and those held back."""

    def __init__(self) -> None:
        self.tally: Counter[tuple[int, str]] = Counter()

    def judge(self, rule: Compiled, change: str) -> str:
        """Empty where the change may act, else what becomes of it."""
        if not counts(rule):
            return ""
        if change == ENDED or QUOTA.allows(rule.tenant_id):
            self.tally[rule.tenant_id, "fired"] += 1
            return ""
        fate = SKIPPED if rule.momentary or change == AGAIN else POSTPONED
        self.tally[rule.tenant_id, fate] += 1
        return fate


def hold_back(rule: Compiled, state: State, at: int, fate: str) -> None:
    """Have a rule's state be as if it had not fired, and be looked at again."""
    if fate == POSTPONED:
        state.phase, state.since = (HOLDING, at - rule.hold) if rule.hold else (QUIET, 0)
        state.due = at + LOOK_AGAIN
    state.fired_at = 0 if state.fired_at == at else state.fired_at
    state.dirty = True
