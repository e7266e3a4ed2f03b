"""What an alarm is about: the property that its rule looks at first, and the limit that it holds it to."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from rules.models import Alarm

ORDERED = (">", ">=", "<", "<=")


class Subject(NamedTuple):
    """`limit` is the number that the value is compared with, `clears` the one at which the alarm ends; None where there is none."""

    property: str = ""
    limit: float | None = None
    above: bool = True
    clears: float | None = None


def subject_of(alarm: Alarm) -> Subject:
    """Of the alarm's rule; empty where the rule is gone."""
    return subject_in(alarm.rule.body) if alarm.rule else Subject()


def subject_in(body: Mapping[str, Any]) -> Subject:
    """The first comparison in a rule's body; empty where it compares nothing."""
    leaf = _first(body.get("when"))
    if leaf is None:
        return Subject()
    clear = _first(body.get("clear")) or {}
    same = clear.get("property") == leaf["property"]
    return Subject(str(leaf["property"]), _number(leaf), leaf.get("op") in (">", ">="), _number(clear) if same else None)


def _number(leaf: Mapping[str, Any]) -> float | None:
    value = leaf.get("value")
    plain = isinstance(value, int | float) and not isinstance(value, bool) and "aggregate" not in leaf
    return float(value) if plain and leaf.get("op") in ORDERED and value is not None else None


def _first(tree: Any, depth: int = 0) -> Mapping[str, Any] | None:
    """The first leaf that looks at a property of the device itself."""
    if not isinstance(tree, Mapping) or depth > 12:
        return None
    if tree.get("property") and not tree.get("device"):
        return tree
    lists = [tree[word] for word in ("all", "any") if isinstance(tree.get(word), list)]
    inner = [*(each for some in lists for each in some), tree.get("not"), tree.get("when")]
    return next((found for each in inner if (found := _first(each, depth + 1)) is not None), None)
