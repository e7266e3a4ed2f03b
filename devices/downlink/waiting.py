"""A request that waits for the end of a command: woken by NOTIFY, one listening connection per process for all of them."""

import threading
import time
from collections.abc import Callable

import structlog
from django.db import connection, connections

from iotpanel import databases

from . import wake

NAP = 0.5  # seconds between two looks at whether anybody still waits
LINGER = 60.0  # seconds that the thread stays when nobody waits any more
MOST = 500  # requests that wait at once; what exceeds that is answered at once
log = structlog.get_logger(__name__)


class Waiting:
    """The waiting requests of this process. The listening thread lives as long as there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[int, list[threading.Event]] = {}
        self._listening = threading.Event()
        self._thread: threading.Thread | None = None

    def until_final(self, command_id: int, seconds: float, is_final: Callable[[], bool]) -> bool:
        """Wait until the command has ended, at most this long; returns what `is_final` says in the end.

        The caller's connection to the database is given back meanwhile, where it is not in a transaction.
        """
        until = time.monotonic() + seconds
        event = self._enter(command_id)
        if event is None:
            return is_final()
        try:
            self._listening.wait(min(seconds, 2.0))
            if is_final():  # it ended before we listened
                return True
            if not connection.in_atomic_block:
                connections.close_all()
            event.wait(max(until - time.monotonic(), 0))
        finally:
            self._leave(command_id, event)
        return is_final()

    def _enter(self, command_id: int) -> threading.Event | None:
        with self._lock:
            if sum(map(len, self._events.values())) >= MOST:
                return None
            event = threading.Event()
            self._events.setdefault(command_id, []).append(event)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="command-waiting", daemon=True)
                self._thread.start()
            return event

    def _leave(self, command_id: int, event: threading.Event) -> None:
        with self._lock:
            events = self._events.get(command_id, [])
            if event in events:
                events.remove(event)
            if not events:
                self._events.pop(command_id, None)

    def _run(self) -> None:
        try:
            self._listen()
        except Exception as error:  # they are answered when their time is over
            log.warning("command_waiting_interrupted", error=str(error)[:300])
        finally:
            databases.hang_up()  # nobody else wants a connection that listens
            with self._lock:
                if self._thread is threading.current_thread():
                    self._forget_thread()

    def _listen(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {wake.ENDED}")
        self._listening.set()
        idle_since = time.monotonic()
        while True:
            for notice in connection.connection.notifies(timeout=NAP, stop_after=1):
                self._wake(wake.read_ended(notice.payload))
            with self._lock:
                if self._events:
                    idle_since = time.monotonic()
                elif time.monotonic() - idle_since > LINGER:
                    self._forget_thread()  # who comes now starts another one
                    return

    def _forget_thread(self) -> None:
        self._thread = None
        self._listening.clear()

    def _wake(self, ids: set[int]) -> None:
        with self._lock:
            for command_id in ids & self._events.keys():
                for event in self._events[command_id]:
                    event.set()


waiting = Waiting()
