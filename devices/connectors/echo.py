"""How far behind we are: a word to ourselves through the broker, which comes back behind everything that came before it.

Once its parcel is committed, so is all that the broker had taken when the word was said. The length of our own queue
tells less: under load there is always something in it, and what waits in the broker is not seen at all.

A broker may stop letting us speak to ourselves: its rules can change at any time, and it does not say so. Words that do not
come back are told from a backlog by what does come: behind a backlog there is always something, and here there is nothing.
"""

import secrets
import struct
import threading
from collections import deque
from collections.abc import Callable

from .clock import arrival

QUIET = 30_000_000  # µs in which a broker with a backlog sends something
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
        self._heard = 0  # when anything came or was committed last, µs since 1970

    def say(self, *, afresh: bool = False) -> None:
        """One word now; `afresh` on a new connection, on which earlier ones are lost."""
        now = arrival()
        with self._lock:
            if afresh:
                self._under_way.clear()
                self._heard = now
            self._under_way.append(now)
        self._say(self._token + _MOMENT.pack(now))

    def read(self, payload: bytes) -> int:
        """When this word was said (µs since 1970); 0 where it is not one of ours."""
        if len(payload) != len(self._token) + _MOMENT.size or not payload.startswith(self._token):
            return 0
        return int(_MOMENT.unpack_from(payload, len(self._token))[0])

    def heard(self, at: int) -> None:
        """Something came at this moment, whatever it was."""
        self._heard = at

    def committed(self, said: int) -> None:
        """Everything that came before this word is safe."""
        with self._lock:
            self._heard = arrival()
            self._answered = True
            while self._under_way and self._under_way[0] <= said:
                self._under_way.popleft()

    def lag(self) -> float | None:
        """Seconds since the oldest word that has not come back was said; None where none ever came back, or none does any more."""
        with self._lock:
            if not self._answered:
                return None
            if not self._under_way:
                return 0.0
            now, oldest = arrival(), self._under_way[0]
            return None if now - max(oldest, self._heard) > QUIET else max(0.0, (now - oldest) / 1_000_000)
