"""A rule ready to run: its body, read once. Pure Python, but for what an action may need."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from .conditions import Counter, Needs, Test, compile_condition
from .facts import Facts, WindowKey
from .formula import Get, compile_formula
from .leaves import compile_leaf
from .moments import Hours, edges
from .operands import name_in, only, span
from .problems import BadRule
from .triggers import MOMENTARY, Trigger, parse_trigger
from .windows import Sliding, Tumbling

FIELDS: Final = {
    *("description", "scope", "trigger", "when", "for", "clear", "clear_for", "cooldown", "active", "repeat", "lateness", "actions"),
}
SCOPES: Final = ("product", "group", "devices", "labels")
MOST_DEVICES: Final = 1_000
LATENESS: Final = 300 * 1_000_000  # µs that a report may be older than the newest one and still be looked at


class Scope(NamedTuple):
    """Which devices: those to which everything applies that is not None."""

    product: str | None
    group: str | None
    devices: frozenset[str] | None
    labels: tuple[tuple[str, str], ...]


class Compiled(NamedTuple):
    """One rule. See `machine.Timing` for the times."""

    id: int
    tenant_id: int
    name: str
    version: int
    scope: Scope
    trigger: Trigger
    test: Test
    clear: Test | None
    hold: int
    clear_hold: int
    cooldown: int
    active: Hours | None
    every: bool
    momentary: bool
    lateness: int
    needs: Needs
    actions: Sequence[Mapping[str, Any]]
    formulas: Sequence[tuple[str, Get]]

    @property
    def names(self) -> frozenset[str]:
        return self.needs.properties

    @property
    def leading(self) -> str:
        """The property that it compares first, "" where there is none."""
        return next((use.key for use in self.needs.uses if use.source == "property"), "")

    @property
    def windows(self) -> frozenset[WindowKey]:
        return frozenset(self.needs.windows) | {counter.window for counter in self.needs.counters}

    @property
    def counters(self) -> Sequence[Counter]:
        return self.needs.counters

    @property
    def reach(self) -> int:
        """How far into the past its windows look, in µs."""
        return max((key.length for key in self.windows), default=0)


def compile_rule(body: Mapping[str, Any], *, id: int = 0, tenant_id: int = 0, name: str = "", version: int = 0) -> Compiled:
    """Read a body. Raises BadRule with the path of what is wrong; whether names exist is not looked at here."""
    if not isinstance(body, Mapping):
        raise BadRule("", "a rule is an object")
    only(body, "", FIELDS) if set(body) - FIELDS else None
    trigger = parse_trigger(body.get("trigger", "readings"))
    needs = Needs(str(id))
    momentary = trigger.kind in MOMENTARY
    when = body.get("when")
    test: Test = compile_condition(when, "when", needs, compile_leaf) if when is not None else _always
    actions = _actions(body.get("actions"))
    formulas = [formula for index, action in enumerate(actions) for formula in _formulas(action, f"actions.{index}", needs)]
    if when is None and not momentary and not needs.properties:
        needs.any_reading = True
    clear = compile_condition(body["clear"], "clear", needs, compile_leaf) if body.get("clear") is not None else None
    _refuse_what_has_no_meaning(body, momentary)
    every = _repeat(body) or (when is None and not momentary)
    lateness = _span(body, "lateness") or LATENESS
    return Compiled(
        id, tenant_id, name, version, parse_scope(body.get("scope")), trigger, test, clear,
        _span(body, "for"), _span(body, "clear_for"), _span(body, "cooldown"),
        Hours(body["active"], "active") if body.get("active") is not None else None,
        every, momentary, lateness, needs, actions, formulas,
    )  # fmt: skip


def _always(facts: Facts) -> bool:
    return True


def _span(body: Mapping[str, Any], word: str) -> int:
    return span(body, word, "") if body.get(word) is not None else 0


def _repeat(body: Mapping[str, Any]) -> bool:
    if body.get("repeat", "change") not in ("change", "every"):
        raise BadRule("repeat", "“change” or “every”")
    return bool(body.get("repeat") == "every")


def _refuse_what_has_no_meaning(body: Mapping[str, Any], momentary: bool) -> None:
    for word in ("for", "clear", "clear_for", "repeat") if momentary else ():
        if body.get(word) is not None:
            raise BadRule(word, "this trigger is a moment: it neither lasts nor ends")


def _actions(actions: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(actions, list) or not 0 < len(actions) <= 20:
        raise BadRule("actions", "a list of 1 to 20 actions")
    for index, action in enumerate(actions):
        if not isinstance(action, Mapping):
            raise BadRule(f"actions.{index}", "an object with “kind”")
        name_in(action, "kind", f"actions.{index}")
    return actions


def _formulas(action: Mapping[str, Any], path: str, needs: Needs) -> list[tuple[str, Get]]:
    """The formula of an action that makes a reading, with the property that it is of."""
    if action["kind"] != "reading":
        return []
    return [(name_in(action, "property", path), compile_formula(action.get("formula"), f"{path}.formula", needs))]


def parse_scope(scope: Any, path: str = "scope") -> Scope:
    """Raises BadRule."""
    if not isinstance(scope, Mapping) or not scope:
        raise BadRule(path, "say which devices: %(known)s", known=", ".join(SCOPES))
    only(scope, path, set(SCOPES))
    devices = scope.get("devices")
    if devices is not None and not (_is_names(devices) and 0 < len(devices) <= MOST_DEVICES):
        raise BadRule(f"{path}.devices", "a list of 1 to %(most)s device keys", most=MOST_DEVICES)
    labels = scope.get("labels", {})
    if not isinstance(labels, Mapping) or ("labels" in scope and not labels) or not _is_names([*labels, *labels.values()]):
        raise BadRule(f"{path}.labels", "an object of texts")
    keys = {word: name_in(scope, word, path) for word in ("product", "group") if word in scope}
    chosen = frozenset(devices) if devices is not None else None
    return Scope(keys.get("product"), keys.get("group"), chosen, tuple(sorted(labels.items())))


def _is_names(names: Any) -> bool:
    return isinstance(names, list) and all(isinstance(name, str) and 0 < len(name) <= 256 for name in names)


def new_window(key: WindowKey) -> Sliding | Tumbling:
    return Tumbling(edges(key.length, ZoneInfo(key.edge))) if key.edge else Sliding(key.length)
