"""Rate limits of the downlink: a device, and a tenant, is sent no more commands a second than this."""

from collections import OrderedDict
from typing import Any

MEMORY = 20_000  # devices and tenants that are remembered; who is forgotten has a full bucket again


class Pace:
    """Buckets that refill with `rate` tokens a second and hold `burst` of them. Not thread-safe."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, max(burst, 1.0)
        self._buckets: OrderedDict[Any, tuple[float, float]] = OrderedDict()

    def wait(self, key: Any, at: float) -> float:
        """Seconds until `key` may have one more; 0 where it may now. `at` is in monotonic seconds."""
        left = self._left(key, at)
        return 0.0 if left >= 1 else (1 - left) / self.rate

    def take(self, key: Any, at: float, tokens: float = 1.0) -> None:
        """More than are left is a debt: the next one waits the longer."""
        self._buckets[key] = (self._left(key, at) - tokens, at)
        self._buckets.move_to_end(key)
        if len(self._buckets) > MEMORY:
            self._buckets.popitem(last=False)

    def _left(self, key: Any, at: float) -> float:
        left, since = self._buckets.get(key, (self.burst, at))
        return min(self.burst, left + (at - since) * self.rate)
