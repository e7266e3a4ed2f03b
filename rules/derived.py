"""What actions make that rules look at in turn: readings, and what happened. Collected per thread, taken by the engine."""

from threading import local
from typing import Any, NamedTuple

from devices.messages import Report

_thread = local()


class Happening(NamedTuple):
    """Something that is no message of a device. `kind` is alarm, schedule or scene; `rule_id` where it is one rule's alone."""

    device_id: int
    at: int
    kind: str
    params: dict[str, Any]
    rule_id: int | None = None


def add(*things: Report | Happening) -> None:
    _things().extend(things)


def take() -> list[Report | Happening]:
    """All that was added since the last time."""
    found = list(_things())
    _things().clear()
    return found


def _things() -> list[Report | Happening]:
    if not hasattr(_thread, "things"):
        _thread.things = []
    found: list[Report | Happening] = _thread.things
    return found
