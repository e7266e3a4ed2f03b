"""How a simulated device answers its downlink: commands are carried out after a moment, what is desired is reported."""

import json
from typing import Any

from .kinds import Message, Simulated
from .kinds.base import dumps


def answers(device: Simulated, levels: list[str], payload: bytes) -> list[Message]:
    """The messages that answer one downlink; `levels` are those of its topic behind `down/`."""
    try:
        body = json.loads(payload)
    except ValueError:
        return []
    match levels:
        case ["commands", command_id]:
            return [Message(f"commands/{command_id}/reply", dumps(_reply(device, body)))]
        case ["shadow"]:
            return [Message("shadow", dumps(report))] if (report := _report(body)) else []
        case ["gateway", child, "commands", command_id]:
            return [Message(f"gateway/commands/{command_id}/reply", dumps({child: _reply(device, body)}))]
        case ["gateway", child, "shadow"]:
            return [Message("gateway/shadow", dumps({child: report}))] if (report := _report(body)) else []
    return []


def _reply(device: Simulated, command: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"status": "ok", "result": device.obey(str(command["name"]), command.get("params") or {})}
    except LookupError:
        return {"status": "error", "error": "this device does not know the command"}


def _report(shadow: dict[str, Any]) -> dict[str, Any] | None:
    """What is desired is so at once."""
    delta = shadow.get("delta")
    return {"reported": delta, "version": shadow.get("version")} if delta else None
