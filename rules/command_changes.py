"""What became of commands, as rules see it. Where no rule of a tenant looks at commands, that costs one look into an index."""

from collections.abc import Mapping, Sequence
from typing import Any

from devices.messages import CommandChange

from .derived import Happening
from .models import Rule


def happened(changed: Sequence[Any]) -> list[tuple[int, Happening]]:
    """The changes of commands that a rule may look at, each with the number of rules that led to its command."""
    moves = [change for change in changed if isinstance(change, CommandChange)]
    if not moves:
        return []
    looking = Rule.objects.running().filter(trigger="command", tenant_id__in={move.tenant_id for move in moves})
    tenants = set(looking.order_by().values_list("tenant_id", flat=True).distinct())
    return [(move.hops, _happening(move)) for move in moves if move.tenant_id in tenants]


def _happening(move: CommandChange) -> Happening:
    said = said_of(move.params, move.name, move.state, move.reason, move.error, move.result, move.command_id)
    return Happening(move.device_id, move.at, "command", said)


def said_of(params: Mapping[str, Any], name: str, state: str, reason: str, error: str, result: Any, command_id: int) -> dict[str, Any]:
    """What a condition may look at. Parameters come first, so that none of them can pass itself off as the state."""
    said = {"command": name, "state": state, "reason": reason, "error": error, "result": result, "command_id": command_id}
    return {**params, **said}
