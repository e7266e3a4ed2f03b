"""Change how a device should be: merge a patch into the desired state of its shadow, or of another device's."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import transaction

from devices.downlink import shadow
from devices.exceptions import Invalid
from iotpanel.api.errors import ApiError
from rules import act, trace, validation
from rules.firing import Firing
from rules.problems import BadRule

from .about import device_of, filled, other_device


class ShadowAction:
    """A JSON merge patch: null removes a key. What a shadow refuses is said in the trace, and costs no other device its change."""

    SETTINGS: dict[str, Any] = {
        "type": "object",
        "properties": {
            "desired": {
                "type": "object",
                "minProperties": 1,
                "description": "Merged into the desired state; null removes. A text may be “{property}”: the value itself.",
            },
            "device": {"type": "string", "description": "Another device's key."},
        },
        "required": ["desired"],
        "additionalProperties": False,
    }

    def __init__(self, settings: dict[str, Any]) -> None:
        self.desired: dict[str, Any] = settings["desired"]
        self.device: str = settings.get("device", "")

    def check(self, world: "validation.World", rule: Any, path: str) -> None:
        """Raises BadRule for a patch that no shadow takes, or where there is no such device."""
        try:
            shadow.check_patch(self.desired)
        except Invalid as error:
            raise BadRule(f"{path}.desired", error.detail) from error
        if self.device:
            other_device(world.tenant, self.device, path)

    def run(self, firings: Sequence[Firing]) -> None:
        """See Action.run. In the order of devices, in which everybody locks shadows."""
        for firing in sorted(firings, key=lambda each: each.device_id):
            device = device_of(firing, self.device)
            if device is None:
                continue
            try:
                with transaction.atomic():
                    shadow.patch_desired(device, filled(self.desired, firing), hops=firing.hops + 1)
            except ApiError as error:
                if error.code == "too_many_hops":
                    act.cut_firings([firing], firing.hops)
                    continue
                note = trace.said(firing.rule_id, firing.device_key, firing.at, f"shadow: {error.message}")
                transaction.on_commit(partial(trace.keep, [note]))
