"""A nudge to the task workers that something is to be done: best effort, for beat sends the same task too."""

import threading
import time

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

BETWEEN = 0.1  # seconds between two rounds of a process: a busy uplink commits often
log = structlog.get_logger(__name__)
_lock = threading.Lock()
_some = threading.Event()
_wanted: dict[str, float] = {}
_threads: list[threading.Thread] = []


def nudge(task: str, expires: float) -> None:
    """Have a task worker run the task of this name now, or never once ``expires`` seconds have passed.

    Returns at once and never raises: a queue that is down delays the task until beat sends it.
    """
    with _lock:
        _wanted[task] = expires
        _some.set()
        if not any(thread.is_alive() for thread in _threads):
            # Not the caller's own thread: a queue that stands still would hold up a request, or the uplink, which has stored its batch.
            _threads[:] = [threading.Thread(target=_nudge_forever, name="nudges", daemon=True)]
            _threads[0].start()


def _nudge_forever() -> None:
    while _some.wait():
        with _lock:
            _some.clear()
            wanted = dict(_wanted)
            _wanted.clear()
        for task, expires in wanted.items():
            _send(task, expires)
        time.sleep(BETWEEN)


def _send(task: str, expires: float) -> None:
    try:
        current_app.send_task(task, expires=expires, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        log.info("task_not_sent", task=task, error=str(error)[:200])
