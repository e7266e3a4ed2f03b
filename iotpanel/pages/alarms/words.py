"""What happened to an alarm, in words."""

from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from iotpanel.pages import wording
from rules.models import Alarm, AlarmEvent

TONES = {"raised": "", "escalated": "major", "acknowledged": "accent", "cleared": "good", "commented": "accent"}


class Happened(NamedTuple):
    """One line of the timeline: `who` stands before the words where it was a person."""

    at: Any
    tone: str
    words: str
    quote: str


def timeline(alarm: Alarm, unit: str = "") -> list[Happened]:
    """Newest first; `unit` is that of the alarm's value."""
    events = alarm.events.select_related("person").order_by("-id")[:200]
    return [Happened(event.at, _tone(alarm, event), _words(alarm, event, unit), event.text) for event in events]


def _tone(alarm: Alarm, event: AlarmEvent) -> str:
    return str(alarm.severity) if event.kind == "raised" else TONES.get(event.kind, "")


def _words(alarm: Alarm, event: AlarmEvent, unit: str) -> str:
    who = event.person.get_full_name() or event.person.username if event.person else ""
    if event.kind == "raised":
        value = f"{wording.value(alarm.value)} {unit}".strip() if alarm.value is not None else ""
        return _("Raised at %(value)s") % {"value": value} if value else _("Raised")
    if event.kind == "cleared" and not who:
        return _("The condition is gone")
    if event.kind == "escalated":
        return _("Escalated, because nobody acknowledged it")
    if event.kind == "assigned":
        to = (event.data or {}).get("to")
        return _("%(who)s gave it to %(to)s") % {"who": who, "to": to} if to else _("%(who)s took it from its person") % {"who": who}
    words = {
        "acknowledged": _("%(who)s acknowledged it"),
        "cleared": _("%(who)s cleared it"),
        "commented": _("%(who)s commented"),
        "shelved": _("%(who)s put it on the shelf"),
        "unshelved": _("%(who)s took it off the shelf"),
    }
    return words.get(event.kind, event.kind) % {"who": who or _("The platform")}
