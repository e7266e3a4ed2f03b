"""Hears which devices there is something for, and keeps them until the dispatcher takes them."""

import threading
from collections.abc import Callable
from typing import Any

import structlog
from django.db import connection

from . import wake

NAP = 0.5  # seconds between two looks at whether to stop
RETRY = 1.0
log = structlog.get_logger(__name__)


class Listener:
    """A thread with a connection of its own."""

    def __init__(self, on_word: Callable[[], Any]) -> None:
        self.on_word = on_word
        self._lock = threading.Lock()
        self._devices: set[int] = set()
        self._all = True  # what happened before we listened
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="downlink-listener", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(NAP + 1)

    def everything(self) -> None:
        """Whatever was taken may not have been done."""
        with self._lock:
            self._all = True

    def take(self) -> tuple[set[int], bool]:
        """The devices since the last call, and whether there may be more that nobody named."""
        with self._lock:
            found, everything = (self._devices, self._all)
            self._devices, self._all = set(), False
        return found, everything

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
            for notice in connection.connection.notifies(timeout=NAP, stop_after=1):
                self._note(wake.read(notice.payload))
                self.on_word()

    def _note(self, ids: set[int] | None) -> None:
        with self._lock:
            if ids is None:
                self._all = True
            else:
                self._devices |= ids
