"""Hears which devices there is something for, and keeps them until the dispatcher takes them."""

import threading
from collections.abc import Callable
from typing import Any

import structlog
from django.db import connection

from . import wake
from .wake import Word

NAP = 0.5  # seconds between two looks at whether to stop
RETRY = 1.0
log = structlog.get_logger(__name__)


class Listener:
    """A thread with a connection of its own."""

    def __init__(self, on_word: Callable[[], Any]) -> None:
        self.on_word = on_word
        self._lock = threading.Lock()
        self._word = Word(everything=True)  # what happened before we listened
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="downlink-listener", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(NAP + 1)

    def everything(self) -> None:
        """Whatever was taken may not have been done."""
        self._note(Word(everything=True))

    def take(self) -> Word:
        """What was said since the last call."""
        with self._lock:
            found, self._word = self._word, Word()
        return found

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except Exception as error:  # without this thread commands wait for the next sweep
                log.warning("downlink_not_woken", error=str(error)[:300])
                connection.close()
                self._stopping.wait(RETRY)
        connection.close()

    def _listen(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {wake.DEVICES}")
        self.everything()
        self.on_word()
        while not self._stopping.is_set():
            for notice in connection.connection.notifies(timeout=NAP):
                self._note(wake.read(notice.payload))
                self.on_word()

    def _note(self, word: Word) -> None:
        with self._lock:
            self._word |= word
