"""What makes a rule look: reports, attributes, events, presence, alarms, commands, the clock, or a person. Pure Python."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from .cron import Cron
from .operands import name_in, only
from .problems import BadRule

KINDS: Final = {
    "readings": set[str](),
    "attributes": set[str](),
    "presence": set[str](),
    "event": {"name"},
    "alarm": {"changes", "severities"},
    "command": {"name", "states"},
    "schedule": {"cron", "tz"},
    "scene": set[str](),
}
# What happens and is over: such a rule fires each time, and is never raised.
MOMENTARY: Final = frozenset({"event", "alarm", "command", "schedule", "scene"})
CHANGES: Final = ("raised", "cleared", "acknowledged", "escalated")
COMMAND_STATES: Final = ("queued", "sent", "delivered", "succeeded", "failed", "timed_out", "expired", "cancelled")
UNDONE: Final = ("failed", "timed_out", "expired")
SEVERITIES: Final = ("critical", "major", "minor", "warning", "info")


class Trigger(NamedTuple):
    """`name` of an event or command ("": any); `changes` and `severities` of alarms; `states` of commands; `cron` of a schedule."""

    kind: str
    name: str = ""
    changes: frozenset[str] = frozenset(["raised"])
    severities: frozenset[str] = frozenset(SEVERITIES)
    cron: Cron | None = None
    states: frozenset[str] = frozenset(UNDONE)


def parse_trigger(spec: Any) -> Trigger:
    """A kind, or an object with `kind` and what belongs to it. Raises BadRule."""
    given = {"kind": spec} if isinstance(spec, str) else spec
    if not isinstance(given, Mapping) or given.get("kind") not in KINDS:
        raise BadRule("trigger", "one of: %(known)s; or an object with “kind”", known=", ".join(KINDS))
    kind = str(given["kind"])
    only(given, "trigger", {"kind", *KINDS[kind]})
    name = name_in(given, "name", "trigger") if "name" in given else ""
    if kind == "event":
        return Trigger(kind, name)
    if kind == "command":
        return Trigger(kind, name, states=_some(given, "states", COMMAND_STATES, list(UNDONE)))
    if kind == "alarm":
        return Trigger(kind, changes=_some(given, "changes", CHANGES, ["raised"]), severities=_some(given, "severities", SEVERITIES))
    if kind == "schedule":
        return Trigger(kind, cron=Cron(given.get("cron"), given.get("tz"), "trigger"))
    return Trigger(kind)


def _some(spec: Mapping[str, Any], word: str, known: tuple[str, ...], default: list[str] | None = None) -> frozenset[str]:
    chosen = spec.get(word, default or list(known))
    if not isinstance(chosen, list) or not chosen or any(each not in known for each in chosen):
        raise BadRule(f"trigger.{word}", "a list out of %(known)s", known=", ".join(known))
    return frozenset(chosen)
