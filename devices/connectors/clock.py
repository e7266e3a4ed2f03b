"""Arrival times in µs since 1970: never twice the same in a process, and never back, whatever NTP does."""

from threading import Lock
from time import time_ns

_lock = Lock()
_last = 0


def arrival() -> int:
    """Now, or a microsecond after the last answer."""
    global _last
    with _lock:
        _last = max(time_ns() // 1000, _last + 1)
        return _last
