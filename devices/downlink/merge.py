"""JSON merge patch (RFC 7396) and the difference of two states. Pure."""

from typing import Any

from devices.exceptions import Invalid

MAX_DEPTH = 8
State = dict[str, Any]


def merged(state: State, patch: State) -> State:
    """The state after the patch: null removes a key, objects are merged, everything else replaces."""
    result = dict(state)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            before = result.get(key)
            result[key] = merged(before if isinstance(before, dict) else {}, value)
        else:
            result[key] = value
    return result


def difference(desired: State, reported: State) -> State:
    """What of `desired` is not so in `reported`; objects are compared key by key, lists as a whole."""
    delta: State = {}
    for key, wanted in desired.items():
        there = reported.get(key)
        if isinstance(wanted, dict) and isinstance(there, dict):
            if inner := difference(wanted, there):
                delta[key] = inner
        elif key not in reported or not same(wanted, there):
            delta[key] = wanted
    return delta


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1, but 1.0 is."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def check_depth(value: Any, depth: int = MAX_DEPTH) -> None:
    """Raises Invalid("too_deep")."""
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if not depth and isinstance(value, dict | list):
        raise Invalid("too_deep", f"nested deeper than {MAX_DEPTH}")
    for child in children:
        check_depth(child, depth - 1)
