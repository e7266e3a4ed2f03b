"""Conditions in words: one function for each kind of leaf."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from .parts import Known, Names, Part, Parts, joined, listed, say
from .phrases import aggregates, operators
from .values import hours
from .values import span as span_of
from .values import value as value_of

DEEPEST = 12


def condition(tree: Any, path: str, names: Names, depth: int = 0) -> Parts:
    """A tree of conditions, or one leaf."""
    if not isinstance(tree, Mapping) or not tree or depth > DEEPEST:
        return [Part("…", path)]
    for word, template in (("all", _("%(one)s and %(other)s")), ("any", _("%(one)s or %(other)s"))):
        if isinstance(tree.get(word), list) and tree[word]:
            clauses = [condition(each, f"{path}.{word}.{index}", names, depth + 1) for index, each in enumerate(tree[word])]
            return joined(clauses, template, brackets=depth > 0 and len(clauses) > 1)
    if "not" in tree:
        return say(_("not (%(condition)s)"), condition=condition(tree["not"], f"{path}.not", names, depth + 1))
    for word, make in _SPECIAL.items():
        if word in tree:
            return make(tree, path, names)
    return _comparison(tree, path, names)


def _comparison(leaf: Mapping[str, Any], path: str, names: Names) -> Parts:
    known = names.property(leaf.get("property") or leaf.get("attribute") or leaf.get("param") or "…")
    what = _what(leaf, path, names, known)
    op, value = str(leaf.get("op")), leaf.get("value")
    if op == "changed":
        return say(_("%(what)s changes"), what=what)
    if op in ("between", "outside") and isinstance(value, list) and len(value) == 2:
        template = _("%(what)s is between %(low)s and %(high)s") if op == "between" else _("%(what)s is not between %(low)s and %(high)s")
        low, high = (value_of(each, known.unit, f"{path}.value.{index}") for index, each in enumerate(value))
        return say(template, what=what, low=low, high=high)
    template = operators().get(op, "%(what)s … %(value)s")
    return say(template, what=what, value=_right(value, known, path, names))


def _what(leaf: Mapping[str, Any], path: str, names: Names, known: Known) -> Parts:
    chip = Part(known.name, f"{path}.{'attribute' if leaf.get('attribute') else 'property'}")
    if leaf.get("aggregate"):
        template = aggregates().get(str(leaf["aggregate"]), "%(what)s (%(span)s)")
        return say(template, what=chip, span=span_of(leaf.get("over"), f"{path}.over"))
    if leaf.get("device"):
        device = Part(names.other("device", leaf["device"]), f"{path}.device")
        return say(_("%(what)s of %(device)s"), what=chip, device=device)
    return [chip]


def _right(value: Any, known: Known, path: str, names: Names) -> Parts:
    field = f"{path}.value"
    if not isinstance(value, Mapping):
        texts = [value_of(each, known.unit, field).text for each in value] if isinstance(value, list) else []
        return listed(texts, field) if texts else [value_of(value, known.unit, field)]
    if value.get("previous"):
        found: Parts = [Part(_("its value before"), field)]
    else:
        found = _what(value, field, names, names.property(value.get("property") or value.get("attribute") or "…"))
    if value.get("times") not in (None, 1):
        found = say(_("%(number)s times %(what)s"), number=value_of(value["times"], "", field), what=found)
    if value.get("plus"):
        found = say(_("%(what)s plus %(number)s"), what=found, number=value_of(value["plus"], known.unit, field))
    return found


def _online(leaf: Mapping[str, Any], path: str, names: Names) -> Parts:
    word = _("online") if leaf.get("online") else _("offline")
    return say(_("the device is %(state)s"), state=Part(word, f"{path}.online"))


def _silent(leaf: Mapping[str, Any], path: str, names: Names) -> Parts:
    span = span_of(leaf.get("no_data"), f"{path}.no_data")
    if leaf.get("property"):
        what = Part(names.property(leaf["property"]).name, f"{path}.property")
        return say(_("there is no %(what)s for %(span)s"), what=what, span=span)
    return say(_("the device says nothing for %(span)s"), span=span)


def _times(leaf: Mapping[str, Any], path: str, names: Names) -> Parts:
    count = Part(str(leaf.get("times", "…")), f"{path}.times")
    inner, within = condition(leaf.get("when"), f"{path}.when", names, 1), span_of(leaf.get("within"), f"{path}.within")
    return say(_("%(condition)s, %(count)s times within %(span)s"), condition=inner, count=count, span=within)


def _during(leaf: Mapping[str, Any], path: str, names: Names) -> Parts:
    return say(_("it is %(hours)s"), hours=hours(leaf.get("during"), f"{path}.during"))


def _area(leaf: Mapping[str, Any], path: str, names: Names) -> Parts:
    area = leaf.get("area")
    circle = area.get("circle") if isinstance(area, Mapping) else None
    if isinstance(circle, Mapping):
        place = f"{circle.get('lat')}, {circle.get('lon')}"
        words = say(_("%(radius)s m around %(place)s"), radius=value_of(circle.get("radius"), "", path), place=Part(place, f"{path}.area"))
    else:
        words = [Part(_("the drawn area"), f"{path}.area")]
    template = _("the device is inside of %(area)s") if leaf.get("op") == "inside" else _("the device is outside of %(area)s")
    return say(template, area=words)


def _lua(leaf: Mapping[str, Any], path: str, names: Names) -> Parts:
    return say(_("the script says so: %(script)s"), script=Part(str(leaf.get("lua"))[:60], f"{path}.lua"))


_SPECIAL: dict[str, Callable[[Mapping[str, Any], str, Names], Parts]] = {
    "online": _online,
    "no_data": _silent,
    "times": _times,
    "during": _during,
    "area": _area,
    "lua": _lua,
}
