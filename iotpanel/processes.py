"""What every Celery process does on the side: logs as the web does, reports its figures, measures its tasks."""

import sys
import time
from typing import Any

import structlog
from celery import Celery, signals
from django.conf import settings
from django.db import close_old_connections

from iotpanel import databases, logs, metrics
from iotpanel.figures import Reporter

_reporters: list[Reporter] = []
_began: dict[str, float] = {}


def install(app: Celery) -> None:
    """Connect to Celery's signals. Strong references: these functions live as long as the process."""
    # Celery ends a task's connection before and after it, whatever Django is told, but for this many times: see `_look_after`.
    app.conf.CELERY_DB_REUSE_MAX = sys.maxsize
    signals.setup_logging.connect(_configure_logs, weak=False)
    signals.celeryd_after_setup.connect(_worker_starts, weak=False)
    signals.worker_shutdown.connect(_stops, weak=False)
    signals.beat_init.connect(_beat_starts, weak=False)
    signals.task_prerun.connect(_task_begins, weak=False)
    signals.task_postrun.connect(_task_ends, weak=False)


def _configure_logs(**_options: Any) -> None:
    """A receiver keeps Celery from setting up handlers of its own."""
    logs.configure(settings.LOGGING)


def _worker_starts(sender: str, **_options: Any) -> None:
    """`sender` is the worker's name, such as `uplink@host`."""
    role = sender.partition("@")[0]
    _report_as(role)
    if role != "uplink":  # its threads keep their connections by themselves
        databases.keep()


def _beat_starts(**_options: Any) -> None:
    _report_as("beat")
    databases.keep()


def _report_as(role: str) -> None:
    reporter = Reporter(role)
    reporter.start()
    _reporters.append(reporter)


def _stops(**_options: Any) -> None:
    while _reporters:
        _reporters.pop().stop()


def _task_begins(task_id: str, task: Any, **_options: Any) -> None:
    structlog.contextvars.bind_contextvars(task=task.name, task_id=task_id)
    _began[task_id] = time.perf_counter()
    _look_after(task)


def _task_ends(task_id: str, task: Any, state: str | None = None, **_options: Any) -> None:
    structlog.contextvars.unbind_contextvars("task", "task_id")
    began = _began.pop(task_id, None)
    if began is not None:
        metrics.TASK_SECONDS.labels(task.name).observe(time.perf_counter() - began)
    metrics.TASK_RUNS.labels(task.name, (state or "unknown").lower()).inc()
    _look_after(task)


def _look_after(task: Any) -> None:
    """What Django does around a request: end a connection that has failed or is too old, and have the next use try the rest first."""
    if not task.request.is_eager:  # then it is its caller's
        close_old_connections()
