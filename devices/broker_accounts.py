"""Keeps the embedded broker's accounts up to date: woken when credentials change, and looks by itself now and then."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from django.db import connection

from devices.broker_auth import own_patterns, write_files
from iotpanel import metrics

CHANNEL = "iotpanel_accounts"
SETTLE = 0.2  # seconds: a bulk change is written once
LOOK_ANYWAY = 60.0  # seconds
RETRY = 1.0
log = structlog.get_logger(__name__)


class AccountsKeeper:
    """A thread. `on_topics` is called with the subscriptions that products add, at the start and on changes, and
    `on_ended` with the keys of the devices whose sessions the broker ends.
    """

    def __init__(self, folder: Path | None, on_topics: Callable[[list[str]], Any], on_ended: Callable[[frozenset[str]], Any]) -> None:
        self._folder, self._on_topics, self._on_ended = folder, on_topics, on_ended
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="broker-accounts", daemon=True)
        self.written = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._watch()
            except Exception as error:  # whatever it is: without this thread no new device could sign in
                log.warning("broker_accounts_wait", error=str(error)[:300])
                connection.close()
                self._stopping.wait(RETRY)
        connection.close()

    def _watch(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        self._update()
        while not self._stopping.is_set():
            if self._changed():
                self._stopping.wait(SETTLE)
                self._changed(timeout=0)
            self._update()

    def _changed(self, timeout: float = LOOK_ANYWAY) -> bool:
        """Wait for word of a change; short naps, so that stopping is quick."""
        waited = 0.0
        while not self._stopping.is_set():
            nap = min(0.5, timeout - waited)
            for _ in connection.connection.notifies(timeout=max(nap, 0), stop_after=1):
                return True
            waited += nap
            if waited >= timeout:
                return False
        return False

    def _update(self) -> None:
        self._on_topics([pattern.subscription for pattern in own_patterns()])
        if self._folder is None:
            return
        changed, ended = write_files(self._folder)
        if changed:
            self.written += 1
            metrics.BROKER_RELOADS.inc()
            log.info("broker_accounts_written", ended=len(ended))
        if ended:
            self._on_ended(ended)
