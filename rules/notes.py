"""Which devices others have changed: what the one process that remembers them is told by everybody else."""

from collections.abc import Collection, Iterable
from threading import local
from typing import Any

from django.db import connection

from .states import CHANNEL

_thread = local()
LISTENED = "SELECT 1 FROM pg_listening_channels() AS name WHERE name = %s"


class Listening:
    """This thread's ear. A LISTEN holds from the commit on, so nothing is trusted until one is known to be committed."""

    def __init__(self) -> None:
        self._raw: Any = None
        self._trusted = False
        self._heard: set[int] = set()

    def changed(self, remember: bool, device_ids: Collection[int]) -> Iterable[int]:
        """Of which devices nothing that is remembered may be used; ours are among them until we are sure to be told."""
        if not remember:
            return device_ids
        heard, self._heard = self._heard, set()
        if self._raw is not connection.connection:
            self._raw, self._trusted = connection.connection, False
            self._raw.add_notify_handler(self._hear)
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            return device_ids
        if not self._trusted:
            with connection.cursor() as cursor:
                cursor.execute(LISTENED, [CHANNEL])
                self._trusted = cursor.fetchone() is not None
            if not self._trusted:
                self._raw = None
            return device_ids
        return heard

    def _hear(self, note: Any) -> None:
        if note.channel == CHANNEL and note.payload.isdigit():
            self._heard.add(int(note.payload))


def listening() -> Listening:
    """This thread's."""
    if not hasattr(_thread, "listening"):
        _thread.listening = Listening()
    found: Listening = _thread.listening
    return found
