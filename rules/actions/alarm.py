"""Raise an alarm when the rule begins to hold, clear it when it ends."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from rules import alarms, escalation, validation
from rules.durations import PATTERN
from rules.firing import CLEARED, RAISED, REPEATED, Firing
from rules.models import Alarm, Rotation, Severity
from rules.operands import span
from rules.problems import BadRule
from rules.rotations import on_call
from rules.texts import Text


class AlarmAction:
    """One active alarm per rule and device, whatever comes."""

    ON = (RAISED, CLEARED, REPEATED)
    SETTINGS: dict[str, Any] = {
        "type": "object",
        "properties": {
            "severity": {"enum": Severity.values, "default": Severity.WARNING.value},
            "message": {"type": "string", "maxLength": 500, "description": "May hold {device}, {rule}, {value} and names of properties."},
            "assign": {"type": "string", "description": "An on-call rotation's key: whoever is on call gets the alarm."},
            "escalate": {
                "type": "array",
                "maxItems": 10,
                "description": "What happens, one after the other, while nobody acknowledges it.",
                "items": {
                    "type": "object",
                    "properties": {
                        "after": {"type": "string", "pattern": PATTERN},
                        "severity": {"enum": Severity.values},
                        "assign": {"type": "string"},
                        "actions": {"type": "array", "maxItems": 10, "items": {"type": "object", "required": ["kind"]}},
                    },
                    "required": ["after"],
                    "additionalProperties": False,
                },
            },
        },
        "additionalProperties": False,
    }

    def __init__(self, settings: dict[str, Any]) -> None:
        self.severity = Severity(settings.get("severity", Severity.WARNING))
        self.message = Text(settings.get("message") or "{rule}: {device}")
        self.rotation = settings.get("assign", "")
        self.levels = settings.get("escalate", [])

    def check(self, world: "validation.World", rule: Any, path: str) -> None:
        """Raises BadRule for a message that names what is not there, a rotation that does not exist, a step that is none."""
        validation.check_text(world, rule, self.message.template, f"{path}.message")
        for key, place in [(self.rotation, path), *((each.get("assign"), f"{path}.escalate.{n}") for n, each in enumerate(self.levels))]:
            if key and not Rotation.objects.for_tenant(world.tenant).filter(key=key).exists():
                raise BadRule(f"{place}.assign", _("There is no on-call rotation “%(key)s”.") % {"key": key[:64]})
        for number, level in enumerate(self.levels):
            span(level, "after", f"{path}.escalate.{number}")
            for index, settings in enumerate(level.get("actions", ())):
                validation.check_action(world, rule, settings, f"{path}.escalate.{number}.actions.{index}")

    def run(self, firings: Sequence[Firing]) -> None:
        """See Action.run."""
        if begun := [firing for firing in firings if firing.change in (RAISED, REPEATED)]:
            new = alarms.raise_for(begun, severity=self.severity, message=self.message.of)
            escalation.arm(new, self.levels)
            self._assign(new)
        if ended := [firing for firing in firings if firing.change == CLEARED]:
            alarms.clear_for(ended)

    def _assign(self, new: Sequence[Alarm]) -> None:
        """Give new alarms to whoever is on call."""
        person = on_call(new[0].tenant_id, self.rotation) if new and self.rotation else None
        for alarm in new if person else ():
            alarms.assign(alarm, to=person, by=None)
