"""A calculated reading: a formula over the device's properties, stored as any other reading of it."""

import time
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from devices.messages import Report
from rules import derived, validation
from rules.firing import CLEARED, Firing
from rules.formula import LONGEST
from rules.problems import BadRule
from telemetry.uplink import computed


class ReadingAction:
    """The formula itself is compiled with the rule, because it decides what touches it; here its results are stored."""

    SETTINGS: dict[str, Any] = {
        "type": "object",
        "properties": {
            "property": {"type": "string", "minLength": 1, "maxLength": 256},
            "formula": {"type": "string", "minLength": 1, "maxLength": LONGEST},
        },
        "required": ["property", "formula"],
        "additionalProperties": False,
    }

    def __init__(self, settings: dict[str, Any]) -> None:
        self.property: str = settings["property"]

    def check(self, world: "validation.World", rule: Any, path: str) -> None:
        """Raises BadRule where the products have no such property, or it is no number."""
        found = world.type_of("property", self.property)
        if found not in ("number", ""):
            raise BadRule(f"{path}.property", _("“%(key)s” must be a number of the thing model.") % {"key": self.property[:64]})
        if self.property in rule.names:
            raise BadRule(f"{path}.formula", _("A property cannot be reckoned from itself."))

    def run(self, firings: Sequence[Firing]) -> None:
        """See Action.run."""
        now = time.time_ns() // 1_000
        reports = [
            Report(firing.device_id, firing.at, {self.property: firing.computed[self.property]}, now)
            for firing in firings
            if firing.change != CLEARED and firing.computed.get(self.property) is not None
        ]
        derived.add(*computed.write(reports, {firing.device_id: firing.device_key for firing in firings}))
