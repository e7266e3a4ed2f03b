"""A nudge to the task workers that promises were made: best effort, for the sweep finds them too."""

import threading
import time

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

TASK = "rules.tasks.deliver_outbox"
BETWEEN = 0.1  # seconds between two nudges of a process: a busy uplink commits often
GIVE_UP = 2  # seconds after which nobody needs the nudge any more: the sweep has run
log = structlog.get_logger(__name__)
_lock = threading.Lock()
_wanted = threading.Event()
_threads: list[threading.Thread] = []


def wake() -> None:
    """Have a task worker deliver now. Returns at once and never raises: a queue that is down delays a delivery, and loses none."""
    _wanted.set()
    with _lock:
        if not any(thread.is_alive() for thread in _threads):
            # Not the caller's own thread: a queue that stands still would hold up the uplink, which has stored its batch.
            _threads[:] = [threading.Thread(target=_nudge_forever, name="outbox-nudge", daemon=True)]
            _threads[0].start()


def _nudge_forever() -> None:
    while _wanted.wait():
        _wanted.clear()
        _nudge()
        time.sleep(BETWEEN)


def _nudge() -> None:
    try:
        current_app.send_task(TASK, expires=GIVE_UP, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        log.info("outbox_not_nudged", error=str(error)[:200])
