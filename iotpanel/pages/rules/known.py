"""How much of the past a back-test knew, in words: from when on, of which devices, and in what it is not as it would have been."""

from collections.abc import Mapping
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from iotpanel.pages import wording

SLACK = 50  # a part of the time that is tried: what begins that soon counts as known from its start
Line = tuple[str, float | None, float | None]  # a text, and the instants (ms) that its TIME and LATER stand for
UNCERTAIN = ("attributes", "presence")


def known_words(found: Mapping[str, Any], start: float, end: float) -> list[Line]:
    """One line for all that is known throughout, one for each kind that is not, and what had to be assumed."""
    soon = start + (end - start) / SLACK
    whole = [each for each in found["known"] if _is_whole(each, soon)]
    rest = [each for each in found["known"] if each not in whole]
    lines: list[Line] = []
    if whole:
        names = pgettext("between the parts of a list", ", ").join(_name(each["kind"]) for each in whole)
        lines.append((_("Known for the whole time: %(kinds)s.") % {"kinds": names}, None, None))
    lines += [_line(each, soon, soon - start) for each in rest]
    if any(each["kind"] in UNCERTAIN for each in rest):
        lines.append((_("What is not known is neither so nor not so: it raises nothing and clears nothing."), None, None))
    assumed = _("Not as it would have been: %(what)s.")
    return lines + [(assumed % {"what": text}, None, None) for text in found["assumed"]]


def _is_whole(known: Mapping[str, Any], soon: float) -> bool:
    return known["since_all"] is not None and known["since_all"] <= soon and not known["devices_unknown"]


def _line(known: Mapping[str, Any], soon: float, slack: float) -> Line:
    """A kind that is known in part."""
    name, since, later, unknown = capfirst(_name(known["kind"])), known["since"], known["since_all"], known["devices_unknown"]
    if since is None:
        return _("%(kind)s: nothing is known.") % {"kind": name}, None, None
    if later <= soon:
        text = _("%(kind)s: known for the whole time.")
    elif since <= soon:
        text = _("%(kind)s: known for the whole time of some devices, of others from LATER on at the latest.")
    elif later - since <= slack:
        text = _("%(kind)s: known from TIME on.")
    else:
        text = _("%(kind)s: known from TIME on at the earliest, from LATER on at the latest.")
    text %= {"kind": name}
    if unknown:
        more = ngettext("Of %(count)s device nothing is known.", "Of %(count)s devices nothing is known.", unknown)
        text = f"{text} {more % {'count': wording.number(unknown)}}"
    return text, since, later


def _name(kind: str) -> str:
    names: dict[str, str] = {
        "readings": _("readings"),
        "attributes": _("attributes"),
        "presence": _("online and offline"),
        "events": _("events"),
        "alarms": _("alarms"),
        "commands": _("commands"),
        "memberships": _("groups and labels"),
    }
    return names[kind]
