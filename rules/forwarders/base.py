"""What a forwarder's adapter is: it is given rendered messages and hands them to another system, or says why not."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

BATCH = 500


class Message(NamedTuple):
    """One message: its text, the device it is about (the key that keeps its order), when (µs since 1970), and all that is known."""

    body: str
    key: str
    at: int
    context: Mapping[str, Any]


class Adapter(Protocol):
    """Made from its settings (secrets included), used by one thread at a time; connects when it first sends.

    `SETTINGS` is a JSON Schema (see `rules/adapter_settings.py`). `OBJECTS`: each message must be a JSON object, whose
    keys are columns. `EXPERIMENTAL`: not tested against a real server. `batch`: how many messages it takes at a time.
    """

    SETTINGS: dict[str, Any]
    TITLE: str
    OBJECTS: bool
    EXPERIMENTAL: bool
    batch: int

    def __init__(self, settings: dict[str, Any]) -> None: ...

    def send(self, messages: Sequence[Message]) -> str:
        """Hand over all messages, in order, and return only when the other side has them; what it answered, if it said anything.

        Raises Down where nothing can be sent now, Rejected where it is these messages.
        """
        ...

    def close(self) -> None: ...


def schema(properties: dict[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    """The JSON Schema of settings; what is not named is refused."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def text(title: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "title": title, "maxLength": 1000, **more}


def secret(title: str, **more: Any) -> dict[str, Any]:
    return text(title, writeOnly=True, maxLength=20_000, **{name: value for name, value in more.items() if name != "maxLength"})


def templated(title: str, **more: Any) -> dict[str, Any]:
    return text(title, format="template", **more)


def host(title: str = "Host", **more: Any) -> dict[str, Any]:
    return text(title, minLength=1, pattern=r"^[^\s/@]+$", **{"x-address": True}, **more)


def port(default: int) -> dict[str, Any]:
    return {"type": "integer", "title": "Port", "minimum": 1, "maximum": 65_535, "default": default, "x-address": True}


def flag(title: str, default: bool = False, **more: Any) -> dict[str, Any]:
    return {"type": "boolean", "title": title, "default": default, **more}
