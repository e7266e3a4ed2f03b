"""Scripts that hang again and again are left out for a while, so that everything else goes on."""

import threading
import time
from collections import deque
from collections.abc import Callable
from hashlib import sha256

from iotpanel import metrics

STRIKES = 3
WINDOW = 60.0
SENTENCE = 60.0
REMEMBERED = 1_000


class Quarantine:
    """Counts the hangs of each script. Three within a minute, and its frames are refused for a minute."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._strikes: dict[bytes, deque[float]] = {}
        self._until: dict[bytes, float] = {}

    def strike(self, script: bytes) -> None:
        """The script hung once more."""
        with self._lock:
            now, name = self._now(), _name(script)
            strikes = self._strikes.setdefault(name, deque(maxlen=STRIKES))
            strikes.append(now)
            if len(strikes) == STRIKES and now - strikes[0] <= WINDOW:
                self._until[name] = now + SENTENCE
                metrics.LUA_QUARANTINES.inc()
                strikes.clear()
            self._forget(now)

    def holds(self, script: bytes) -> bool:
        """Whether the script is in quarantine now."""
        if not self._until:
            return False  # nearly always: no hash is worth making
        with self._lock:
            return self._until.get(_name(script), 0.0) > self._now()

    def _forget(self, now: float) -> None:
        self._until = {name: until for name, until in self._until.items() if until > now}
        if len(self._strikes) > REMEMBERED:
            self._strikes = {name: strikes for name, strikes in self._strikes.items() if strikes and now - strikes[-1] <= WINDOW}


def _name(script: bytes) -> bytes:
    return sha256(script).digest()
