"""Devices that are there and did not listen when something was sent to them: asked again, ever less often.

A device that has just connected subscribes a moment later; a child may be reached by another gateway than we thought;
a device that talks HTTP never listens at all.
"""

import time
from collections.abc import Iterable

PAUSES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # seconds after one, two ... misses
FORGET = 50_000  # devices


class Patience:
    """For the dispatching thread alone; what it forgets costs one try."""

    def __init__(self) -> None:
        self._due: dict[int, float] = {}
        self._misses: dict[int, int] = {}
        self._ways: dict[int, int] = {}
        self._last: dict[int, int] = {}

    def next_in(self) -> float:
        """Seconds until a device is to be looked at."""
        return min(self._due.values()) - time.monotonic() if self._due else float("inf")

    def take(self) -> set[int]:
        """The devices whose time has come."""
        if not self._due:
            return set()
        now = time.monotonic()
        found = {device_id for device_id, at in self._due.items() if at <= now}
        for device_id in found:
            del self._due[device_id]
        return found

    def remind(self, device_id: int, seconds: float) -> None:
        at = time.monotonic() + seconds
        self._due[device_id] = min(at, self._due.get(device_id, at))

    def way(self, device_id: int, ways: int) -> int:
        """Which of so many topics to try: the one that somebody listened on, else one after the other."""
        if ways > 1:
            self._last[device_id] = ways - 1
        return min(self._ways.get(device_id, 0), ways - 1)

    def miss(self, device_id: int) -> float:
        """Nobody listened. Seconds to wait before the next try: none while there is another way."""
        if len(self._misses) > FORGET:
            self._misses.clear()
            self._ways.clear()
        way = self._ways.get(device_id, 0)
        if way < self._last.get(device_id, 0):
            self._ways[device_id] = way + 1
            self.remind(device_id, 0)
            return 0.0
        self._ways.pop(device_id, None)
        misses = self._misses[device_id] = self._misses.get(device_id, 0) + 1
        pause = PAUSES[min(misses, len(PAUSES)) - 1]
        self.remind(device_id, pause)
        return pause

    def reached(self, device_ids: Iterable[int]) -> None:
        """They listen."""
        if self._misses:
            for device_id in device_ids:
                self._misses.pop(device_id, None)

    def heard(self, device_ids: Iterable[int]) -> None:
        """They have just come: the next miss is the first one again."""
        self.reached(device_ids)
