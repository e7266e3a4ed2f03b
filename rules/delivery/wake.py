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
_last = [float("-inf")]


def wake() -> None:
    """Ask a task worker to deliver now. Never raises: a queue that is down delays a delivery, and loses none."""
    with _lock:
        if time.monotonic() - _last[0] < BETWEEN:
            return
        _last[0] = time.monotonic()
    try:
        current_app.send_task(TASK, expires=GIVE_UP, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        log.info("outbox_not_nudged", error=str(error)[:200])
