"""Arrival times in µs since 1970: never twice the same in a process, and never back, whatever NTP does."""

from threading import Lock
from time import time_ns

_lock = Lock()
_last = 0


def arrival() -> int:
    """Now, or a microsecond after the last answer."""
    return arrivals(1)


def arrivals(count: int) -> int:
    """The first of so many times, a microsecond apart, that nobody else is given: now, or just after the last answer."""
    global _last
    with _lock:
        first = max(time_ns() // 1000, _last + 1)
        _last = first + count - 1
        return first
