"""Shows somebody who watches a device what goes down to it, as it went and with what became of it; no secret is shown.

While nobody watches, a turn of the dispatcher costs one look at an empty set, however much it publishes.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from .carrier import IN_FLIGHT, Ack, Fate

WORDS = {Fate.TAKEN: "sent", Fate.NOBODY: "nobody_listens", Fate.REFUSED: "not_sent", Fate.UNKNOWN: "unknown"}
Published = tuple[Any, str, bytes]
"""What was published, its topic and its bytes as they may be shown."""
Frame = tuple[int, str, bytes, int, str, str]
"""Device id, topic, payload, µs, verdict, detail."""


class Onlooker(NamedTuple):
    """`framed` says whose frames are watched, by id; `show` takes frames, oldest first."""

    framed: Callable[[], frozenset[int]]
    show: Callable[[Iterable[Frame]], None]


NOBODY = Onlooker(frozenset, lambda frames: None)


class Shown:
    """What was published to watched devices and the broker has not acknowledged. For the dispatcher's thread alone."""

    def __init__(self, onlooker: Onlooker) -> None:
        self._onlooker = onlooker
        self._open: dict[int, tuple[Any, list[Frame]]] = {}

    def framed(self) -> frozenset[int]:
        return self._onlooker.framed()

    def published(self, messages: Iterable[Published], framed: frozenset[int]) -> None:
        """Remember those of watched devices; what goes through a gateway is the gateway's message too."""
        if len(self._open) > IN_FLIGHT:  # never published after all: something failed in mid-turn
            self._open.clear()
        at = time.time_ns() // 1000
        for token, topic, payload in messages:
            through = token.parent_id if f"/gateway/{token.key}/" in topic else None
            if devices := {token.device_id, through} & framed:
                self._open[id(token)] = token, [(device_id, topic, payload, at, "", "") for device_id in sorted(devices)]

    def acknowledged(self, acks: Iterable[Ack]) -> None:
        """Show what the broker has spoken about."""
        if not self._open:
            return
        frames = []
        for ack in acks:
            _token, waiting = self._open.pop(id(ack.token), (None, []))
            frames += [(*frame[:4], WORDS[ack.fate], "") for frame in waiting]
        if frames:
            self._onlooker.show(frames)
