"""What a condition compares: properties, attributes, parameters, other devices' values, windows. Pure Python."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from .conditions import Needs, Use
from .durations import LONGEST, SECOND, BadSpan, parse_span
from .facts import Facts, WindowKey
from .moments import parse_zone
from .problems import BadRule
from .windows import AGGREGATES, Tumbling, aggregate

Get = Callable[[Facts], Any]
LEFT: Final = ("property", "attribute", "param", "device", "aggregate", "over", "window", "per", "tz")


def only(leaf: Mapping[str, Any], path: str, known: set[str]) -> None:
    """Raises BadRule for a key that is not known here."""
    for key in leaf:
        if key not in known:
            raise BadRule(f"{path}.{str(key)[:60]}", "not known here; known are %(known)s", known=", ".join(sorted(known)))


def name_in(spec: Mapping[str, Any], word: str, path: str) -> str:
    """The name that `word` gives. Raises BadRule."""
    name = spec.get(word)
    if not isinstance(name, str) or not 0 < len(name) <= 256 or "\0" in name:
        raise BadRule(f"{path}.{word}", "a name")
    return name


def span(spec: Mapping[str, Any], word: str, path: str, longest: int = LONGEST) -> int:
    """The span that `word` gives, in µs. Raises BadRule."""
    try:
        return parse_span(spec.get(word), longest=longest)
    except BadSpan as error:
        raise BadRule(f"{path}.{word}" if path else word, error.text, **error.places) from error


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def left_of(leaf: Mapping[str, Any], path: str, needs: Needs, wanted: str) -> tuple[Get, str]:
    if "aggregate" in leaf:
        return _aggregate(leaf, path, needs), ""
    return source(leaf, path, needs, wanted), str(leaf.get("property", ""))


def source(spec: Mapping[str, Any], path: str, needs: Needs, wanted: str) -> Get:
    """The function that fetches a value; `wanted` is the type that it must have. Raises BadRule."""
    if "device" in spec:
        device, name = name_in(spec, "device", path), name_in(spec, "property", path)
        needs.uses.append(Use(f"{path}.property", "other", name, wanted, device))
        pair = (device, name)
        return lambda facts: facts.others.get(pair)
    for word in ("property", "attribute", "param"):
        if word in spec:
            name = name_in(spec, word, path)
            needs.uses.append(Use(f"{path}.{word}", word, name, wanted, "", spec.get("value")))
            return _GET[word](name)
    raise BadRule(path, "say what is compared: “property”, “attribute”, or “device” and “property”")


_GET: dict[str, Callable[[str], Get]] = {
    "property": lambda name: lambda facts: facts.values.get(name),
    "attribute": lambda name: lambda facts: facts.attributes.get(name),
    "param": lambda name: lambda facts: facts.params.get(name),
}


def right_of(spec: Mapping[str, Any], path: str, needs: Needs, wanted: str, name: str) -> Get:
    only(spec, path, {"property", "attribute", "param", "device", "previous", "plus", "times"})
    if spec.get("previous") is True:
        if not name:
            raise BadRule(f"{path}.previous", "only a property of the device itself has a value before")
        needs.previous = True
        get: Get = lambda facts: facts.previous.get(name)  # noqa: E731 - one of several ways to get it
    else:
        get = source(spec, path, needs, wanted)
    plus, times = spec.get("plus", 0), spec.get("times", 1)
    for word, number in (("plus", plus), ("times", times)):
        if not is_number(number):
            raise BadRule(f"{path}.{word}", "a number")
    if plus == 0 and times == 1:
        return get
    return lambda facts: value * times + plus if is_number(value := get(facts)) else None


def _aggregate(leaf: Mapping[str, Any], path: str, needs: Needs) -> Get:
    kind = leaf["aggregate"]
    if kind not in AGGREGATES:
        raise BadRule(f"{path}.aggregate", "one of: %(known)s", known=", ".join(AGGREGATES))
    if "device" in leaf:
        raise BadRule(f"{path}.device", "an aggregate is of the device itself")
    name, length = name_in(leaf, "property", path), span(leaf, "over", path)
    per = span(leaf, "per", path) if "per" in leaf else SECOND * 3_600
    if leaf.get("window", "sliding") not in ("sliding", "tumbling"):
        raise BadRule(f"{path}.window", "“sliding” or “tumbling”")
    tumbles = leaf.get("window") == "tumbling"
    zone = parse_zone(leaf.get("tz"), f"{path}.tz")
    key = WindowKey(name, length, zone.key if tumbles else "")
    needs.windows.add(key)
    needs.uses.append(Use(f"{path}.property", "property", name, "" if kind == "count" else "number or boolean"))

    def get(facts: Facts) -> float | None:
        window = facts.windows[key]
        cell = window.look(facts.at)
        if cell is not None:
            facts.wake(window.ends(facts.at))
        return aggregate(kind, cell, window.base if isinstance(window, Tumbling) else None, per)

    return get
