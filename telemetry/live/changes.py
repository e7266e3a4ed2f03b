"""Changes of commands and shadows on their way to the browsers: a sink, called in the writer's transaction."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from devices.messages import Change, CommandChange, ShadowChange
from iotpanel import metrics

from .publisher import publisher
from .wire import Notice, milliseconds

COMMAND, SHADOW = "command", "shadow"


def tell(changed: Sequence[Change]) -> None:
    """Push what changed once it is committed."""
    told = [change for change in changed if isinstance(change, CommandChange | ShadowChange)]
    if told:
        transaction.on_commit(lambda: _push(told))


def as_json(change: CommandChange) -> dict[str, Any]:
    """A command as the WebSocket shows it."""
    shown: dict[str, Any] = {
        "id": str(change.command_id),
        "device": change.key,
        "name": change.name,
        "params": change.params,
        "state": change.state,
        "final": change.final,
        "reason": change.reason,
        "priority": change.priority,
        "attempts": change.attempts,
        "ts": milliseconds(change.at),
        "created_at": milliseconds(change.created_at),
        "expires_at": milliseconds(change.expires_at),
    }
    more = {"result": change.result, "error": change.error or None}
    return {**shown, **{name: value for name, value in more.items() if value is not None}}


def shadow_as_json(change: ShadowChange) -> dict[str, Any]:
    """A shadow's change as the WebSocket shows it."""
    shown = {name: getattr(change, name) for name in ("part", "patch", "delta", "version")}
    return {"device": change.key, **shown, "ts": milliseconds(change.at)}


def _notice(change: CommandChange | ShadowChange) -> Notice:
    if isinstance(change, CommandChange):
        return Notice(COMMAND, change.tenant_id, change.device_id, as_json(change))
    return Notice(SHADOW, change.tenant_id, change.device_id, shadow_as_json(change))


def _push(told: Sequence[CommandChange | ShadowChange]) -> None:
    for state, number in Counter(change.state for change in told if isinstance(change, CommandChange)).items():
        metrics.COMMAND_CHANGES.labels(state).inc(number)
    live = publisher()
    if live.noticed:
        live.notices(_notice(change) for change in told)
