"""How severe alarms were at each change of the past: what was noted with the change, else what is known by now."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .models import AlarmEvent


class Past(NamedTuple):
    """A change of an alarm with its severity then; `sure` is False where that is only how severe it is now."""

    event: AlarmEvent
    severity: str
    sure: bool


def as_they_were(events: Iterable[AlarmEvent]) -> Iterator[Past]:
    """Every change with its severity, for all changes of some alarms in their order. Each brings its alarm along."""
    some = list(events)
    escalated = {event.alarm_id for event in some if event.kind == AlarmEvent.Kind.ESCALATED}
    known: dict[int, str] = {}
    for event in some:
        if said := event.data.get("severity"):
            known[event.alarm_id] = said
        severity = known.get(event.alarm_id) or event.alarm.severity
        yield Past(event, str(severity), event.alarm_id in known or event.alarm_id not in escalated)
