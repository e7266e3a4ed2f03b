"""The time of reports that carry none: their arrival, made distinct per device.

Two messages of a device in one microsecond are two messages, so the second is put a microsecond later.
"""

from threading import Lock


class ServerTimes:
    """Remembers the last instant that was given to each device."""

    def __init__(self) -> None:
        self._last: dict[int, int] = {}
        self._lock = Lock()

    def distinct(self, device_id: int, received_at: int) -> int:
        """An instant for a report of this device, in µs: `received_at`, or just after the last one given out."""
        with self._lock:
            at = max(received_at, self._last.get(device_id, 0) + 1)
            self._last[device_id] = at
            return at


SERVER_TIMES = ServerTimes()
