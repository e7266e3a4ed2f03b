"""Publish to a device, on the platform's own broker: a topic below `devices/<key>/down/`."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from rules.channels.wording import SAMPLE
from rules.firing import Firing
from rules.outbox import Promise, promise
from rules.problems import BadRule
from rules.topics import device_of

from .about import Templates, contexts


class MqttAction:
    SETTINGS: dict[str, Any] = {
        "type": "object",
        "properties": {
            "topic": {"type": "string", "minLength": 1, "maxLength": 1000, "description": "Template: devices/{{ device.key }}/down/..."},
            "template": {"type": "string", "maxLength": 65_536},
            "qos": {"type": "integer", "enum": [0, 1]},
            "retain": {"type": "boolean"},
        },
        "required": ["topic", "template"],
        "additionalProperties": False,
    }

    def __init__(self, settings: dict[str, Any]) -> None:
        self.templates = Templates(settings, "topic", "template")
        self.how = {"qos": settings.get("qos", 1), "retain": settings.get("retain", False)}

    def check(self, world: Any, rule: Any, path: str) -> None:
        """Raises BadRule where a template does not compile, or makes a topic that rules may not publish to."""
        self.templates.check(path)
        if not device_of(self.templates.render("topic", SAMPLE)):
            raise BadRule(f"{path}.topic", _("A topic must be devices/<key>/down/..., of a device that exists."))

    def run(self, firings: Sequence[Firing]) -> None:
        """See Action.run."""
        promise(
            [
                Promise(firing.tenant_id, "mqtt", firing.rule_id, firing.device_id, self._said(context))
                for firing, context in zip(firings, contexts(firings, alarms="alarm" in self.templates.names), strict=True)
            ]
        )

    def _said(self, context: dict[str, Any]) -> dict[str, Any]:
        return self.how | {"topic": self.templates.render("topic", context), "body": self.templates.render("template", context)}
