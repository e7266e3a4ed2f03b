"""Why a rule fired, or did not: what it saw, when, and what it made of it. A ring per rule, and one per rule and device.

Changes are always noted. Other looks are noted while somebody asks for the trace, and a minute longer. The rings are in
Valkey: they are an explanation, not a record; alarms and promised effects are rows.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from iotpanel import valkey
from iotpanel.valkey import PREFIX
from telemetry.live import publisher, register
from telemetry.live.wire import milliseconds

from .compiled import Compiled
from .durations import show_span
from .machine import HOLDING, QUIET, RAISED, State
from .roster import Member

KEPT = 200  # entries of a rule, and of a rule and device
LIFETIME = 7 * 86_400  # seconds after the last entry
WATCHED = 60  # seconds that asking for a trace has more noted
MOST_AT_ONCE = 50  # entries of a rule out of one batch that are no changes
PHASES = {QUIET: "quiet", HOLDING: "waiting", RAISED: "raised"}


class Note(NamedTuple):
    rule_id: int
    device: str
    entry: dict[str, Any]


def watched() -> frozenset[int]:
    """Ids of rules whose every look is noted."""
    return frozenset(int(topic[6:]) for topic in publisher().noticed if topic.startswith("trace:"))


def note(rule: Compiled, member: Member, state: State, change: str | None, hops: int) -> Note:
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
        "why": [{"path": path, "so": test(facts)} for path, test in rule.needs.tests],
        "effective": rule.active.hold(facts.at) if rule.active else True,
        "hops": hops,
    }
    return Note(rule.id, member.about.key, entry)


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
    for rule_id, device, entry in notes:
        packed = orjson.dumps(entry, default=str)
        for ring in (_ring(rule_id), _ring(rule_id, device)):
            live.keep(ring, packed, KEPT, LIFETIME)


def read(rule_id: int, device: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """The newest entries first; and have more noted for a while. Raises redis.RedisError."""
    client = valkey.client()
    register.watch_notice(client, f"trace:{rule_id}", seconds=WATCHED)
    entries: Any = client.lrange(_ring(rule_id, device), 0, limit - 1)
    return [orjson.loads(entry) for entry in entries]


def _ring(rule_id: int, device: str = "") -> str:
    return f"{PREFIX}trace:{rule_id}:{device}" if device else f"{PREFIX}trace:{rule_id}"
