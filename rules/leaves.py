"""The leaves of a condition: one thing compared with another. Pure Python; see `conditions.py` for the tree.

    left:   property | attribute | param | device + property | property + aggregate + over
    op:     > >= < <= = != between outside in "not in" contains matches changed
    value:  a constant, or {property | attribute | device + property | previous: true, plus?, times?}

and those that stand for themselves: `online`, `no_data`, `times`, `during`, `area`, `lua`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from .conditions import Needs, Test
from .facts import Facts
from .operands import LEFT, Get, is_number, left_of, only, right_of
from .patterns import compile_pattern
from .problems import BadRule
from .special import SPECIAL

ORDERED: Final = (">", ">=", "<", "<=")
EQUAL: Final = ("=", "!=")
LISTED: Final = ("in", "not in")
RANGED: Final = ("between", "outside")
OPS: Final = (*ORDERED, *EQUAL, *RANGED, *LISTED, "contains", "matches", "changed")
MOST_LISTED: Final = 500


def compile_leaf(leaf: Mapping[str, Any], path: str, needs: Needs) -> Test:
    """The test of a leaf. Raises BadRule."""
    for word, make in SPECIAL.items():
        if word in leaf:
            return make(leaf, path, needs, compile_leaf)
    return _comparison(leaf, path, needs)


# --- Comparisons -------------------------------------------------------------------------------------------------


def _comparison(leaf: Mapping[str, Any], path: str, needs: Needs) -> Test:
    op = leaf.get("op")
    if op not in OPS:
        raise BadRule(f"{path}.op", "one of: %(known)s", known=", ".join(OPS))
    wanted = _wanted_type(op, leaf.get("value"))
    left, name = left_of(leaf, path, needs, wanted)
    if op == "changed":
        only(leaf, path, {"property", "op"})
        needs.previous = True
        return _changed(str(leaf.get("property")))
    only(leaf, path, {*LEFT, "op", "value"})
    if leaf.get("value") is None or (leaf["value"] == "" and op in ORDERED):
        raise BadRule(f"{path}.value", "say what it is compared with")
    value = leaf["value"]
    if isinstance(value, Mapping):
        if op not in ORDERED + EQUAL:
            raise BadRule(f"{path}.value", "“%(op)s” takes a constant", op=op)
        right = right_of(value, f"{path}.value", needs, "number" if op in ORDERED else "", name)
        return _compare_both(op, left, right)
    return COMPARE[op](left, _constant(op, value, f"{path}.value"), op)


def _wanted_type(op: str, value: Any) -> str:
    """What the left side has to be, as far as the operator and the constant say."""
    if op in ORDERED + RANGED:
        return "number"
    if op in ("contains", "matches"):
        return "text"
    sample = value[0] if op in LISTED and isinstance(value, list) and value else value
    if op in EQUAL + LISTED:
        return {bool: "boolean", int: "number", float: "number", str: "text"}.get(type(sample), "")
    return ""


def _constant(op: str, value: Any, path: str) -> Any:
    if op in ORDERED and not is_number(value):
        raise BadRule(path, "“%(op)s” compares numbers", op=op)
    if op in RANGED and not (isinstance(value, list) and len(value) == 2 and all(map(is_number, value)) and value[0] <= value[1]):
        raise BadRule(path, "two numbers, the lower first")
    if op in LISTED:
        kinds = {_kind(each) for each in value} if isinstance(value, list) else set()
        if not isinstance(value, list) or not 0 < len(value) <= MOST_LISTED or len(kinds) > 1 or not all(map(_is_plain, value)):
            raise BadRule(path, "a list of 1 to %(most)s numbers, or of texts", most=MOST_LISTED)
    if op in EQUAL and not _is_plain(value):
        raise BadRule(path, "a number, a text, true or false")
    if op in ("contains", "matches") and (not isinstance(value, str) or not 0 < len(value) <= 500):
        raise BadRule(path, "a text of 1 to 500 characters")
    return compile_pattern(value, path) if op == "matches" else value


def _order(left: Get, limit: Any, op: str) -> Test:
    def above(facts: Facts) -> bool | None:
        value = left(facts)
        try:
            return None if value is None else value > limit
        except TypeError:
            return None  # a text where a number should be: the thing model does not know this property

    def at_least(facts: Facts) -> bool | None:
        value = left(facts)
        try:
            return None if value is None else value >= limit
        except TypeError:
            return None

    def below(facts: Facts) -> bool | None:
        value = left(facts)
        try:
            return None if value is None else value < limit
        except TypeError:
            return None

    def at_most(facts: Facts) -> bool | None:
        value = left(facts)
        try:
            return None if value is None else value <= limit
        except TypeError:
            return None

    return {">": above, ">=": at_least, "<": below, "<=": at_most}[op]


def _range(left: Get, limits: Any, op: str) -> Test:
    low, high = limits
    inside = op == "between"

    def test(facts: Facts) -> bool | None:
        value = left(facts)
        try:
            return None if value is None else (low <= value <= high) is inside
        except TypeError:
            return None

    return test


def _equal(left: Get, constant: Any, op: str) -> Test:
    same = op == "="
    return lambda facts: None if (value := left(facts)) is None else (value == constant) is same


def _in_list(left: Get, constants: Any, op: str) -> Test:
    wanted, inside = frozenset(constants), op == "in"

    def test(facts: Facts) -> bool | None:
        value = left(facts)
        return (value in wanted) is inside if isinstance(value, int | float | str) else None

    return test


def _contains(left: Get, part: Any, op: str) -> Test:
    return lambda facts: part in value if isinstance(value := left(facts), str) else None


def _matches(left: Get, search: Any, op: str) -> Test:
    return lambda facts: search(value) if isinstance(value := left(facts), str) else None


def _changed(name: str) -> Test:
    def test(facts: Facts) -> bool | None:
        if name not in facts.fresh:
            return False
        return None if name not in facts.previous else facts.previous[name] != facts.values.get(name)

    return test


COMPARE: dict[str, Callable[[Get, Any, str], Test]] = {
    **dict.fromkeys(ORDERED, _order),
    **dict.fromkeys(RANGED, _range),
    **dict.fromkeys(EQUAL, _equal),
    **dict.fromkeys(LISTED, _in_list),
    "contains": _contains,
    "matches": _matches,
}


def _compare_both(op: str, left: Get, right: Get) -> Test:
    compare: Callable[[Any, Any], bool] = {
        ">": lambda one, other: one > other,
        ">=": lambda one, other: one >= other,
        "<": lambda one, other: one < other,
        "<=": lambda one, other: one <= other,
        "=": lambda one, other: one == other,
        "!=": lambda one, other: one != other,
    }[op]

    def test(facts: Facts) -> bool | None:
        one, other = left(facts), right(facts)
        try:
            return None if one is None or other is None else compare(one, other)
        except TypeError:
            return None

    return test


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)


def _kind(value: Any) -> str:
    return "number" if is_number(value) else type(value).__name__
