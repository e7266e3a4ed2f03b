"""What became of commands, as rules see it. Where no rule of a tenant looks at commands, that costs one look into an index."""

from collections.abc import Collection, Mapping, Sequence
from threading import local
from typing import Any

import orjson

from devices.messages import CommandChange
from iotpanel.statements import prepared
from telemetry.uplink.memory import memory

from .derived import Happening
from .triggers import parse_trigger

# Once for every batch of changes, where the ORM would take longer to write the query than the server to answer it.
_WANTED = "SELECT tenant_id, (body -> 'trigger')::text FROM rules_rule WHERE enabled AND trigger = 'command' AND tenant_id = ANY(%s)"

_thread = local()


def happened(changed: Sequence[Any]) -> list[tuple[int, Happening]]:
    """The changes of commands that a rule asks for, each with the number of rules that led to its command."""
    moves = [change for change in changed if isinstance(change, CommandChange)]
    wanted = _wanted({move.tenant_id for move in moves}) if moves else {}
    return [(move.hops, _happening(move)) for move in moves if _is_wanted(move, wanted.get(move.tenant_id, set()))]


def _wanted(tenant_ids: Collection[int]) -> dict[int, set[tuple[str, str]]]:
    """Of each tenant the names ("": any) and states that its rules ask for: most changes of a great many commands are none.

    A thread that hears of every change of a rule before each batch asks but once.
    """
    if not (mine := memory()).lasting:
        return _read(tenant_ids)
    if getattr(_thread, "generation", None) != mine.directory.generation:
        _thread.generation, _thread.wanted = mine.directory.generation, {}
    if unknown := set(tenant_ids) - _thread.wanted.keys():
        _thread.wanted |= dict.fromkeys(unknown, frozenset()) | _read(unknown)
    wanted: dict[int, set[tuple[str, str]]] = _thread.wanted
    return wanted


def _read(tenant_ids: Collection[int]) -> dict[int, set[tuple[str, str]]]:
    found: dict[int, set[tuple[str, str]]] = {}
    for tenant_id, spec in prepared(_WANTED, [list(tenant_ids)]):
        trigger = parse_trigger(orjson.loads(spec))
        found.setdefault(tenant_id, set()).update((trigger.name, state) for state in trigger.states)
    return found


def _is_wanted(move: CommandChange, wanted: Collection[tuple[str, str]]) -> bool:
    return ("", move.state) in wanted or (move.name, move.state) in wanted


def _happening(move: CommandChange) -> Happening:
    said = said_of(move.params, move.name, move.state, move.reason, move.error, move.result, move.command_id)
    return Happening(move.device_id, move.at, "command", said)


def said_of(params: Mapping[str, Any], name: str, state: str, reason: str, error: str, result: Any, command_id: int) -> dict[str, Any]:
    """What a condition may look at. Parameters come first, so that none of them can pass itself off as the state."""
    said = {"command": name, "state": state, "reason": reason, "error": error, "result": result, "command_id": command_id}
    return {**params, **said}
