"""What became of commands, as rules see it. Where no rule of a tenant looks at commands, that costs one look into an index."""

from collections.abc import Sequence
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
    """Its parameters come first, so that none of them can pass itself off as the state."""
    said = {"command": move.name, "state": move.state, "reason": move.reason, "error": move.error, "result": move.result}
    return Happening(move.device_id, move.at, "command", {**move.params, **said, "command_id": move.command_id})
