"""Values, spans and hours in words."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rules.durations import SECOND, BadSpan, parse_span

from .parts import Part, Parts, listed, say


def value(given: Any, unit: str, field: str) -> Part:
    if given is None:
        return Part("…", field)
    if isinstance(given, bool):
        return Part(_("on") if given else _("off"), field)
    text = (
        f"{given:g}".replace("-", "−")
        if isinstance(given, float)
        else str(given).replace("-", "−")
        if isinstance(given, int)
        else str(given)
    )
    return Part(f"{text[:80]}{'' if unit == '°' else ' '}{unit}".strip(), field)


def span(given: Any, field: str) -> Part:
    try:
        seconds = parse_span(given, longest=10**18) / SECOND
    except BadSpan:
        return Part("…", field)
    for size, words in (
        (86_400, lambda n: ngettext("%(count)s day", "%(count)s days", n)),
        (3_600, lambda n: ngettext("%(count)s hour", "%(count)s hours", n)),
        (60, lambda n: ngettext("%(count)s minute", "%(count)s minutes", n)),
    ):
        if seconds >= size and seconds % size == 0:
            return Part(words(int(seconds // size)) % {"count": int(seconds // size)}, field)
    return Part(ngettext("%(count)s second", "%(count)s seconds", int(seconds)) % {"count": f"{seconds:g}"}, field)


def hours(spec: Any, path: str) -> Parts:
    """Weekdays and times of day."""
    spec = spec if isinstance(spec, Mapping) else {}
    days = {"mon": _("Monday"), "tue": _("Tuesday"), "wed": _("Wednesday"), "thu": _("Thursday"), "fri": _("Friday")}
    days |= {"sat": _("Saturday"), "sun": _("Sunday")}
    given = [str(days.get(str(day), day)) for day in spec.get("weekdays") or []]
    when = listed(given, f"{path}.weekdays", limit=7) if given else [Part(_("every day"), f"{path}.weekdays")]
    start, end = (Part(str(spec.get(word, default)), f"{path}.{word}") for word, default in (("from", "00:00"), ("to", "24:00")))
    return say(_("%(days)s from %(start)s to %(end)s (%(zone)s)"), days=when, start=start, end=end, zone=str(spec.get("tz") or "UTC"))
