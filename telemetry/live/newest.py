"""The newest value of each property since the last look: what both ends of the live path coalesce with."""

from typing import Any

from .wire import Reading

Slot = tuple[int, str]


class Newest:
    """Bounded by `limit` properties: beyond that new ones are refused and counted in `lost`.

    Not thread-safe; the publisher holds a lock around it, a mailbox lives in one event loop.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._slots: dict[Slot, tuple[int, Any, int]] = {}
        self.lost = 0

    def __len__(self) -> int:
        return len(self._slots)

    def put(self, device_id: int, name: str, at: int, value: Any, count: int = 1) -> None:
        slot = (device_id, name)
        held = self._slots.get(slot)
        if held is not None:
            # Equal instants: the later arrival wins, as it does in the store.
            newest = (at, value) if at >= held[0] else held[:2]
            self._slots[slot] = (*newest, held[2] + count)
        elif len(self._slots) < self._limit:
            self._slots[slot] = (at, value, count)
        else:
            self.lost += count

    def drop(self, device_ids: set[int]) -> None:
        """Forget what is held of these devices."""
        self._slots = {slot: held for slot, held in self._slots.items() if slot[0] not in device_ids}

    def take(self) -> tuple[list[Reading], int]:
        """All that is held, and how many were lost for want of room; empty afterwards."""
        readings = [Reading(slot[0], slot[1], *held) for slot, held in self._slots.items()]
        lost, self.lost = self.lost, 0
        self._slots = {}
        return readings, lost
