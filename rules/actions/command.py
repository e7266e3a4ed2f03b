"""Send a command: to the device that the rule fired for, or to another one of the tenant."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from devices.downlink import commands
from devices.models import Device
from iotpanel.api.errors import ApiError
from rules import trace, validation
from rules.durations import PATTERN, SECOND, parse_span
from rules.firing import Firing
from rules.problems import BadRule
from rules.texts import Text

LONGEST_TEXT = 1_000


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
        self.params: Mapping[str, Any] = settings.get("params", {})
        self.device: str = settings.get("device", "")
        self.expires_in = parse_span(settings["expires_in"]) / SECOND if settings.get("expires_in") else None

    def check(self, world: "validation.World", rule: Any, path: str) -> None:
        """Raises BadRule where nobody knows the command, or there is no such device."""
        models = [product.model for product in world.products]
        if self.device:
            other = Device.objects.for_tenant(world.tenant).filter(key=self.device).select_related("product").first()
            if other is None:
                raise BadRule(f"{path}.device", _("There is no device “%(key)s”.") % {"key": self.device[:64]})
            models = [validation.known_of(other.product).model]
        if not any(self.name in model.commands for model in models):
            raise BadRule(f"{path}.name", _("There is no command “%(key)s”.") % {"key": self.name[:64]})

    def run(self, firings: Sequence[Firing]) -> None:
        """See Action.run."""
        for firing in firings:
            device = self._device(firing)
            if device is None:
                continue
            try:
                with transaction.atomic():
                    params = {name: filled(value, firing) for name, value in self.params.items()}
                    commands.send(device, name=self.name, params=params, expires_in=self.expires_in, hops=firing.hops + 1)
            except ApiError as error:
                note = trace.said(firing.rule_id, firing.device_key, firing.at, f"{self.name}: {error.message}")
                transaction.on_commit(partial(trace.keep, [note]))

    def _device(self, firing: Firing) -> Device | None:
        mine = Device.objects.filter(tenant_id=firing.tenant_id).select_related("product")
        return mine.filter(key=self.device).first() if self.device else mine.filter(pk=firing.device_id).first()


def filled(value: Any, firing: Firing) -> Any:
    """A parameter: texts with names in braces are filled; one that is nothing but a name becomes the value itself."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        return value
    if value.startswith("{") and value.endswith("}") and value[1:-1] in firing.values:
        return firing.values[value[1:-1]]
    return Text(value).of(firing)
