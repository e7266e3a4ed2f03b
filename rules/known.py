"""From when on each kind of past is known, as a back-test has to say. Instants are µs since 1970."""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.utils import timezone

from devices.models import Device
from devices.timestamps import to_microseconds
from telemetry.live.wire import milliseconds

from .compiled import Compiled
from .plan import Plan

DAY = 86_400 * 1_000_000
KINDS = ("readings", "attributes", "presence", "events", "alarms", "commands", "memberships")
HAPPENED = {"event": "events", "alarm": "alarms", "command": "commands"}


def kinds_of(rule: Compiled, plan: Plan) -> list[str]:
    """What of the past a rule looks at."""
    kind = rule.trigger.kind
    every = plan.any_reading and (kind == "readings" or plan.lua or rule.needs.silence)
    asked = {
        "readings": bool(plan.names or every),
        "attributes": bool(plan.attributes or plan.all_attributes or kind == "attributes"),
        "presence": plan.presence or kind == "presence",
        HAPPENED.get(kind, ""): True,
        "memberships": rule.scope.group is not None or bool(rule.scope.labels),
    }
    return [each for each in KINDS if asked.get(each)]


def kept_since(kind: str, device: Device) -> int:
    """Since when events, alarms or commands of a device are kept; 0: for good."""
    own = device.product.retention_days
    days = {"events": min(filter(None, [own, settings.RETENTION_DAYS]), default=0), "commands": settings.COMMAND_DAYS}.get(kind, 0)
    return to_microseconds(timezone.now()) - days * DAY if days else 0


class Known:
    """Collects it over all devices that are looked at."""

    def __init__(self, start: int, kinds: Collection[str]) -> None:
        self._start = start
        self._since: dict[str, list[int | None]] = {kind: [] for kind in kinds}

    def __contains__(self, kind: str) -> bool:
        return kind in self._since

    def note(self, kind: str, since: int | None) -> None:
        """Of one device more; None: nothing of it is known."""
        if kind in self._since:
            self._since[kind].append(since if since is None else max(since, self._start))

    def shown(self) -> list[dict[str, Any]]:
        """By kind: the first instant of any device, the last of all, and of how many devices nothing is known."""
        found = []
        for kind, since in self._since.items():
            known = [milliseconds(at) for at in since if at is not None]
            first, last = min(known, default=None), max(known, default=None)
            found.append({"kind": kind, "since": first, "since_all": last, "devices_unknown": since.count(None)})
        return found
