"""Call an address of the rule's own. For secrets and signatures there are channels and forwarders of the kind."""

from collections.abc import Sequence
from typing import Any

import orjson

from rules.firing import Firing
from rules.outbox import Promise, promise
from rules.outside.addresses import Forbidden, judge
from rules.outside.lanes import lane_of
from rules.outside.urls import WHOLE
from rules.problems import BadRule

from .about import Templates, contexts, said


class WebhookAction:
    SETTINGS: dict[str, Any] = {
        "type": "object",
        "properties": {
            "url": {"type": "string", "pattern": WHOLE, "maxLength": 2000},
            "method": {"type": "string", "enum": ["POST", "PUT", "PATCH"]},
            "content_type": {"type": "string", "pattern": r"^[\w.+-]+/[\w.+-]+$"},
            "template": {"type": "string", "maxLength": 65_536, "description": "Empty: JSON with rule, device, change, values."},
        },
        "required": ["url"],
        "additionalProperties": False,
    }

    def __init__(self, settings: dict[str, Any]) -> None:
        self.said = {"url": settings["url"], "method": settings.get("method", "POST")}
        self.said["content_type"] = settings.get("content_type", "application/json")
        self.lane = lane_of(settings["url"])
        self.plain = not settings.get("template")
        self.templates = Templates(settings, "template")

    def check(self, world: Any, rule: Any, path: str) -> None:
        """Raises BadRule where the template does not compile, and for an inner address."""
        self.templates.check(path)
        try:
            judge(self.said["url"])
        except Forbidden as error:
            raise BadRule(f"{path}.url", str(error)) from error

    def run(self, firings: Sequence[Firing]) -> None:
        """See Action.run."""
        if self.plain:
            bodies = [orjson.dumps(said(firing)).decode() for firing in firings]
        else:
            bodies = [self.templates.render("template", context) for context in contexts(firings, alarms="alarm" in self.templates.names)]
        promise(
            [
                Promise(firing.tenant_id, "webhook", firing.rule_id, firing.device_id, self.said | {"body": body}, lane=self.lane)
                for firing, body in zip(firings, bodies, strict=True)
            ]
        )
