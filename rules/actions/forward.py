"""Send what the rule found on by one of the tenant's forwarders."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from rules.firing import Firing
from rules.models import Forwarder
from rules.outbox import Promise, promise
from rules.problems import BadRule

from .about import said


class ForwardAction:
    SETTINGS: dict[str, Any] = {
        "type": "object",
        "properties": {
            "forwarder": {"type": "integer", "minimum": 1, "maximum": 9_007_199_254_740_991, "description": "The forwarder's id."}
        },
        "required": ["forwarder"],
        "additionalProperties": False,
    }

    def __init__(self, settings: dict[str, Any]) -> None:
        self.forwarder = int(settings["forwarder"])

    def check(self, world: Any, rule: Any, path: str) -> None:
        """Raises BadRule where the tenant has no such forwarder."""
        if not Forwarder.objects.for_tenant(world.tenant).filter(pk=self.forwarder).exists():
            raise BadRule(f"{path}.forwarder", _("There is no such forwarder."))

    def run(self, firings: Sequence[Firing]) -> None:
        """See Action.run."""
        promise([Promise(each.tenant_id, "forwarder", self.forwarder, None, bundle(each)) for each in firings])


def bundle(firing: Firing) -> dict[str, Any]:
    about = {name: value for name, value in said(firing).items() if name not in ("device", "at")}
    return {"stream": "", "entries": [[firing.device_key, firing.at, about]]}
