"""Changes of commands on their way to the browsers: a sink, called in the writer's transaction."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from devices.messages import Change, CommandChange
from iotpanel import metrics

from .publisher import publisher
from .wire import Notice, milliseconds

COMMAND = "command"


def tell(changed: Sequence[Change]) -> None:
    """Push what changed once it is committed."""
    commands = [change for change in changed if isinstance(change, CommandChange)]
    if commands:
        transaction.on_commit(lambda: _push(commands))


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


def _push(commands: Sequence[CommandChange]) -> None:
    for change in commands:
        metrics.COMMAND_CHANGES.labels(change.state).inc()
    live = publisher()
    if live.noticed:
        live.notices(Notice(COMMAND, change.tenant_id, change.device_id, as_json(change)) for change in commands)
