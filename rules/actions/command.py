"""Send a command: to the device that the rule fired for, or to another one of the tenant."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from devices.downlink import commands
from iotpanel.api.errors import ApiError
from rules import act, trace, validation
from rules.durations import PATTERN, SECOND, parse_span
from rules.firing import Firing
from rules.problems import BadRule

from .about import device_of, filled, other_device


class CommandAction:
    """What a device refuses (it is switched off, its queue is full) is said in the trace, and costs no other device its command."""

    SETTINGS: dict[str, Any] = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 64},
            "params": {"type": "object", "description": "A text may be “{property}”: the value itself; or hold names in braces."},
            "device": {"type": "string", "description": "Another device's key."},
            "expires_in": {"type": "string", "pattern": PATTERN},
        },
        "required": ["name"],
        "additionalProperties": False,
    }

    def __init__(self, settings: dict[str, Any]) -> None:
        self.name: str = settings["name"]
        self.params: dict[str, Any] = settings.get("params", {})
        self.device: str = settings.get("device", "")
        self.expires_in = parse_span(settings["expires_in"]) / SECOND if settings.get("expires_in") else None

    def check(self, world: "validation.World", rule: Any, path: str) -> None:
        """Raises BadRule where nobody knows the command, or there is no such device."""
        models = [product.model for product in world.products]
        if self.device:
            models = [validation.known_of(other_device(world.tenant, self.device, path).product).model]
        if not any(self.name in model.commands for model in models):
            raise BadRule(f"{path}.name", _("There is no command “%(key)s”.") % {"key": self.name[:64]})

    def run(self, firings: Sequence[Firing]) -> None:
        """See Action.run."""
        for firing in firings:
            device = device_of(firing, self.device)
            if device is None:
                continue
            try:
                with transaction.atomic():
                    commands.send(
                        device, name=self.name, params=filled(self.params, firing), expires_in=self.expires_in, hops=firing.hops + 1
                    )
            except ApiError as error:
                if error.code == "too_many_hops":
                    act.cut_firings([firing], firing.hops)
                    continue
                note = trace.said(firing.rule_id, firing.device_key, firing.at, f"{self.name}: {error.message}")
                transaction.on_commit(partial(trace.keep, [note]))
