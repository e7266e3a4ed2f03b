"""What a client may say on the live connection, read and bounded."""

from typing import Any, Literal, NamedTuple

import orjson

SIZE = 128 * 1024  # bytes of one message; a thousand long keys fit
DEVICES = 1_000  # devices of one connection
FRAMES = 16  # devices of one connection whose raw frames are shown
PROPERTIES = 500  # properties of one message
NAME = 256  # characters of a name
NOTICES = {
    "alarms": "alarm",
    "commands": "command",
    "shadows": "shadow",
    "notices": "notice",
}  # what is asked for, and the kind of notice that it is
KNOWN = {"devices", "properties", "frames", "status", *NOTICES}


class Wrong(Exception):
    """A message that cannot be followed; `code` is for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class Wish(NamedTuple):
    """One message: what to watch, or to watch no longer. `everything` is an unsubscribe that names nothing."""

    verb: Literal["subscribe", "unsubscribe"]
    devices: tuple[str, ...]
    properties: frozenset[str] | None
    frames: tuple[str, ...]
    status: bool
    notices: tuple[str, ...]
    everything: bool


def parse(text: str) -> Wish:
    """The wish in a client's message; raises Wrong."""
    if len(text) > SIZE:
        raise Wrong("too_large", f"A message may have {SIZE} bytes.")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Wrong("not_json", "This is not JSON.") from error
    for verb in ("subscribe", "unsubscribe"):
        if isinstance(message, dict) and list(message) == [verb]:
            return _wish(verb, message[verb])
    raise Wrong("bad_shape", 'Write {"subscribe": {"devices": [...]}} or {"unsubscribe": {"devices": [...]}}.')


def _wish(verb: Literal["subscribe", "unsubscribe"], body: Any) -> Wish:
    if not isinstance(body, dict):
        raise Wrong("bad_shape", f'"{verb}" takes an object.')
    if unknown := sorted(set(body) - KNOWN):
        raise Wrong("unknown_field", f'"{unknown[0][:NAME]}" is not known here; known are {", ".join(sorted(KNOWN))}.')
    for field in ("status", *NOTICES):
        if not isinstance(body.get(field, False), bool):
            raise Wrong("bad_shape", f'"{field}" is true or false.')
    properties = _names(body, "properties", PROPERTIES)
    return Wish(
        verb,
        _names(body, "devices", DEVICES) or (),
        None if properties is None else frozenset(properties),
        _names(body, "frames", FRAMES) or (),
        body.get("status", False),
        tuple(kind for field, kind in NOTICES.items() if body.get(field)),
        everything=not body,
    )


def _names(body: dict[str, Any], field: str, most: int) -> tuple[str, ...] | None:
    """The names in a list, each once and in order; None where the field is left out."""
    names = body.get(field)
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) and 0 < len(name) <= NAME for name in names):
        raise Wrong("bad_shape", f'"{field}" takes a list of names.')
    if len(names) > most:
        raise Wrong("too_many", f'"{field}" takes at most {most} names.')
    return tuple(dict.fromkeys(names))
