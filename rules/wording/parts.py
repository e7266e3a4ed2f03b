"""The pieces that a sentence about a rule is made of.

Each clause is one translated template with named places, since word order differs between languages; what stands in a
place is a part of its own, so that a page can mark it and lead from it to the field that it came from.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

PLACE = re.compile(r"%\((\w+)\)s")
LISTED = 3  # so many of a list are named; the rest are counted


class Part(NamedTuple):
    """A piece of the sentence. `field` is the path of what it shows (`when.all.0.value`), empty for plain words."""

    text: str
    field: str = ""
    severity: str = ""


class Known(NamedTuple):
    """What a property is called, and its unit."""

    name: str
    unit: str = ""


class Names(NamedTuple):
    """What keys are called: properties and the like by key, others by their kind ("product", "group", "device", "channel")."""

    properties: Mapping[str, Known] = {}
    others: Mapping[tuple[str, str], str] = {}

    def property(self, key: Any) -> Known:
        return self.properties.get(str(key)) or Known(str(key))

    def other(self, kind: str, key: Any) -> str:
        return self.others.get((kind, str(key))) or str(key)


Parts = list[Part]


def plain(parts: Sequence[Part]) -> str:
    """The same as one text."""
    return "".join(part.text for part in parts)


def say(template: str, **places: Parts | Part | str) -> Parts:
    """A translated template with parts in its places."""
    found: Parts = []
    at = 0
    for match in PLACE.finditer(template):
        found.append(Part(template[at : match.start()]))
        value = places[match[1]]
        found += [Part(value)] if isinstance(value, str) else [value] if isinstance(value, Part) else value
        at = match.end()
    found.append(Part(template[at:]))
    return [part for part in found if part.text]


def joined(clauses: list[Parts], template: str, *, brackets: bool = False) -> Parts:
    found = clauses[0]
    for clause in clauses[1:]:
        found = say(template, one=found, other=clause)
    return [Part("("), *found, Part(")")] if brackets else found


def listed(texts: Sequence[Any], field: str, limit: int = LISTED) -> Parts:
    shown = [[Part(str(text), field)] for text in texts[:limit]]
    if len(texts) > limit:
        more = len(texts) - limit
        shown.append([Part(ngettext("%(count)s more", "%(count)s more", more) % {"count": more}, field)])
    found = shown[0] if shown else [Part("…", field)]
    for index, each in enumerate(shown[1:], 2):
        template = _("%(one)s and %(other)s") if index == len(shown) else _("%(one)s, %(other)s")
        found = say(template, one=found, other=each)
    return found
