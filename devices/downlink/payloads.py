"""Topics and bytes of what goes down: JSON by the contract, or what the product's script makes of it."""

import re
from typing import Any

import orjson

from devices import topics
from devices.codecs.lua import encode
from devices.timestamps import to_microseconds

from .claims import Ready

ENCODES = re.compile(r"\bfunction\s+encode\b|^\s*encode\s*=", re.MULTILINE)


def body(command: Ready) -> tuple[list[str], str, bytes]:
    """The command's levels behind `down/`, its place among the product's own topics ("" where none), and its bytes.

    Raises Invalid where the script fails, Unavailable where no sandbox process can be started.
    """
    if command.codec == "lua" and ENCODES.search(command.script):
        data = encode(command.script, {"id": str(command.id), "name": command.name, "params": command.params})
        return ["raw"], _own(command, "down/raw"), data
    expires = min(to_microseconds(command.expires_at) // 1000, 2**53)
    data = orjson.dumps({"name": command.name, "params": command.params, "expires_at": expires})
    return ["commands", str(command.id)], _own(command, "down/commands"), data


def ways(key: str, parent_id: int | None, gateways: dict[int, tuple[str, int | None]], levels: list[str], own: str = "") -> list[str]:
    """The topics on which a device may be listening, the likeliest first: a child's nearest gateway, and up; then its own."""
    found = []
    seen: set[int] = set()
    while parent_id is not None and parent_id in gateways and parent_id not in seen:
        seen.add(parent_id)
        gateway, parent_id = gateways[parent_id]
        found.append(topics.down(gateway, "gateway", key, *levels))
    return [*found, own.replace(topics.PLACEHOLDER, key) if own else topics.down(key, *levels)]


def _own(command: Ready, kind: str) -> str:
    mapped: list[Any] = command.topics
    return next((each["topic"] for each in mapped if isinstance(each, dict) and each.get("kind") == kind), "")
