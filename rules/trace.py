"""Why a rule fired, or did not: what it saw, when, and what it made of it. A ring per rule, and one per rule and device.

Changes are always noted. Of the other looks a sample is, so that there is an answer to “why did it not fire?” before
anybody asks; and all of them while somebody asks for the trace, and a minute longer. Samples have rings of their own, so
that they push out no change. The rings are in Valkey: they are an explanation, not a record; alarms and promised effects
are rows.
"""

from collections.abc import Sequence
from threading import local
from typing import Any, NamedTuple

import orjson

from iotpanel import valkey
from iotpanel.valkey import PREFIX
from telemetry.live import publisher, register
from telemetry.live.wire import milliseconds

from .compiled import Compiled
from .conditions import Test
from .durations import show_span
from .facts import Facts
from .machine import HOLDING, QUIET, RAISED, State
from .roster import Member

KEPT = 200  # entries of a rule, and of a rule and device
LIFETIME = 7 * 86_400  # seconds after the last entry
WATCHED = 60  # seconds that asking for a trace has more noted
SAMPLES = 50  # entries of a rule that are samples
SAMPLES_FOR = 86_400  # seconds after the last one
SAMPLE_EVERY = 30.0  # seconds between two samples of a rule
MOST_SAMPLES = 20  # of all rules of a process within a second
MOST_SAMPLED = 50_000  # rules whose last sample is remembered
MOST_AT_ONCE = 50  # entries of a rule out of one batch that are no changes
PHASES = {QUIET: "quiet", HOLDING: "waiting", RAISED: "raised"}


_thread = local()


class Note(NamedTuple):
    rule_id: int
    device: str
    entry: dict[str, Any]
    sample: bool = False


class Sampler:
    """Which look that changes nothing is noted although nobody asks: one of a rule now and then, few of all rules together.

    Most looks are none, and see that from `due` (by rule, on the clock that `begin` is told) and `left` alone.
    """

    def __init__(self) -> None:
        self.due: dict[int, float] = {}
        self.left = MOST_SAMPLES
        self.now = 0.0
        self._second = 0.0

    def begin(self, now: float) -> None:
        """A batch begins, at so many seconds of any clock that never goes back."""
        self.now = now
        if now - self._second >= 1:
            self._second, self.left = now, MOST_SAMPLES

    def takes(self, rule_id: int) -> bool:
        """Whether this look of the rule is one."""
        if not self.left or self.due.get(rule_id, 0.0) > self.now:
            return False
        if len(self.due) >= MOST_SAMPLED:
            self.due.clear()
        self.due[rule_id] = self.now + SAMPLE_EVERY
        self.left -= 1
        return True


def sampler() -> Sampler:
    """This thread's."""
    if not hasattr(_thread, "sampler"):
        _thread.sampler = Sampler()
    found: Sampler = _thread.sampler
    return found


def watched() -> frozenset[int]:
    """Ids of rules whose every look is noted."""
    return frozenset(int(topic[6:]) for topic in publisher().noticed if topic.startswith("trace:"))


def note(rule: Compiled, member: Member, state: State, change: str | None, hops: int, *, sample: bool = False) -> Note:
    """One step, explained: the values, the windows, and what each comparison said."""
    facts = member.facts
    entry = {
        "ts": milliseconds(facts.at),
        "device": member.about.key,
        "change": change,
        "state": PHASES[state.phase],
        "since": milliseconds(state.since) if state.since else None,
        "look_again": milliseconds(state.due) if state.due else None,
        "values": {name: facts.values.get(name) for name in sorted(rule.names)} or dict(facts.fresh) or dict(facts.params),
        "windows": {f"{key.property} {show_span(key.length)}": _window(facts, key) for key in sorted(rule.needs.windows)},
        "why": [{"path": path, **_so(test, facts)} for path, test in rule.needs.tests],
        "effective": rule.active.hold(facts.at) if rule.active else True,
        "hops": hops,
    }
    return Note(rule.id, member.about.key, entry, sample)


def _so(test: Test, facts: Facts) -> dict[str, Any]:
    """What a comparison says; one that fails, which the rule itself may not have asked, says how."""
    try:
        return {"so": test(facts)}
    except Exception as error:
        return {"so": None, "error": f"{type(error).__name__}: {error}"[:300]}


def _window(facts: Any, key: Any) -> dict[str, Any] | None:
    cell = facts.windows[key].look(facts.at)
    if cell is None:
        return None
    return {"count": cell.size, "avg": cell.total / cell.size, "sum": cell.total, "min": cell.low, "max": cell.high}


def said(rule_id: int, device: str, at: int, text: str) -> Note:
    """Something that is no step: a report that came too late, a loop that was cut, a failure."""
    return Note(rule_id, device, {"ts": milliseconds(at), "device": device, "change": None, "text": text})


def keep(notes: Sequence[Note]) -> None:
    """Keep notes, best effort; call it after the commit."""
    live = publisher()
    for rule_id, device, entry, sample in notes:
        packed = orjson.dumps(entry, default=str)
        if sample:
            live.keep(_samples(rule_id), packed, SAMPLES, SAMPLES_FOR)
            continue
        for ring in (_ring(rule_id), _ring(rule_id, device)):
            live.keep(ring, packed, KEPT, LIFETIME)


def read(rule_id: int, device: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """The newest entries first; and have more noted for a while. Raises redis.RedisError."""
    client = valkey.client()
    register.watch_notice(client, f"trace:{rule_id}", seconds=WATCHED)
    changes: Any = client.lrange(_ring(rule_id, device), 0, limit - 1)
    samples: Any = client.lrange(_samples(rule_id), 0, SAMPLES - 1)
    found = [orjson.loads(entry) for entry in changes]
    found += [entry | {"sample": True} for entry in map(orjson.loads, samples) if device in ("", entry["device"])]
    return sorted(found, key=lambda entry: float(entry["ts"]), reverse=True)[:limit]


def _ring(rule_id: int, device: str = "") -> str:
    return f"{PREFIX}trace:{rule_id}:{device}" if device else f"{PREFIX}trace:{rule_id}"


def _samples(rule_id: int) -> str:
    return f"{PREFIX}trace-samples:{rule_id}"
