"""What actions make that rules look at in turn: readings, and what happened. Collected per thread, taken by the engine.

Each thing carries the number of rules that led to it, also where it was made long after its cause: by a scene's next
step, or by a command's reply.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import local
from typing import Any, NamedTuple

from devices.messages import Report

_thread = local()


class Happening(NamedTuple):
    """Something that is no message of a device. `kind` is alarm, command, schedule, scene or other (another device said
    something); `rule_id` where it is one rule's alone.
    """

    device_id: int
    at: int
    kind: str
    params: dict[str, Any]
    rule_id: int | None = None


Thing = Report | Happening


@contextmanager
def under(hops: int) -> Iterator[None]:
    """What is added meanwhile was caused by a rule to which so many others had led."""
    before = getattr(_thread, "hops", 0)
    _thread.hops = hops
    try:
        yield
    finally:
        _thread.hops = before


@contextmanager
def or_nothing() -> Iterator[None]:
    """Where it fails, what was added meanwhile is taken back: so is what it stands for, by whoever opened a transaction with it."""
    before = list(_things())
    try:
        yield
    except BaseException:
        _things()[:] = before
        raise


def add(*things: Thing, hops: int | None = None) -> None:
    """Have rules look at these. `hops` counts the rules that led to them, where it is not one more than those we are under."""
    count = getattr(_thread, "hops", 0) + 1 if hops is None else hops
    _things().extend((count, thing) for thing in things)


def take() -> Sequence[tuple[int, Sequence[Thing]]]:
    """All that was added since the last time, by its hops."""
    groups: dict[int, list[Thing]] = {}
    for hops, thing in _things():
        groups.setdefault(hops, []).append(thing)
    _things().clear()
    return sorted(groups.items())


def _things() -> list[tuple[int, Thing]]:
    if not hasattr(_thread, "things"):
        _thread.things = []
    found: list[tuple[int, Thing]] = _thread.things
    return found
