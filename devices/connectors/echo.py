"""How far behind we are: a word to ourselves through the broker, which comes back behind everything that came before it.

Once its parcel is committed, so is all that the broker had taken when the word was said. The length of our own queue
tells less: under load there is always something in it, and what waits in the broker is not seen at all.
"""

import secrets
import struct
import threading
from collections import deque
from collections.abc import Callable

from .clock import arrival

MOST = 1_000  # words under way; a broker that swallows them is not asked for ever
_MOMENT = struct.Struct(">q")


class Echo:
    """The words under way on one connection after another. Said by the sweeper, heard by the batcher."""

    def __init__(self, client_id: str, say: Callable[[bytes], None]) -> None:
        self.topic = f"iotpanel/echo/{client_id}"
        self._say = say
        self._token = secrets.token_bytes(16)  # nobody else's words count
        self._under_way: deque[int] = deque(maxlen=MOST)
        self._lock = threading.Lock()
        self._answered = False

    def say(self, *, afresh: bool = False) -> None:
        """One word now; `afresh` on a new connection, on which earlier ones are lost."""
        now = arrival()
        with self._lock:
            if afresh:
                self._under_way.clear()
            self._under_way.append(now)
        self._say(self._token + _MOMENT.pack(now))

    def read(self, payload: bytes) -> int:
        """When this word was said (µs since 1970); 0 where it is not one of ours."""
        if len(payload) != len(self._token) + _MOMENT.size or not payload.startswith(self._token):
            return 0
        return int(_MOMENT.unpack_from(payload, len(self._token))[0])

    def committed(self, said: int) -> None:
        """Everything that came before this word is safe."""
        with self._lock:
            self._answered = True
            while self._under_way and self._under_way[0] <= said:
                self._under_way.popleft()

    def lag(self) -> float | None:
        """Seconds since the oldest word that has not come back was said; None where none ever came back."""
        with self._lock:
            if not self._answered:
                return None
            return max(0.0, (arrival() - self._under_way[0]) / 1_000_000) if self._under_way else 0.0
