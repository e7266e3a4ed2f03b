"""What is done in the background for the data: summed, rolled up, erased, dropped. Each run is bounded and may die."""

import time

import structlog
from celery import shared_task

from . import compression, erasure, ledger, old_records, retention, rollups, sql_views

log = structlog.get_logger(__name__)


@shared_task
def fold_ledger() -> None:
    """Sum the batches' counts into hours and minutes."""
    ledger.fold()


@shared_task
def roll_up() -> None:
    """Bring the rollups up to a minute ago."""
    done = rollups.run(seconds=25)
    log.debug("rolled_up", recomputed=done.recomputed)


@shared_task
def erase() -> None:
    """Erase the data of deleted devices."""
    if rows := erasure.run(seconds=45):
        log.info("erased", rows=rows)


@shared_task
def drop_old() -> None:
    """Drop what is kept no longer."""
    compression.ensure()
    dropped = retention.run(now=time.time_ns() // 1000, seconds=240)
    records = old_records.drop(seconds=60)
    if any(dropped) or records:
        log.info("dropped_old", **dropped._asdict(), records=records)


@shared_task
def refresh_views() -> None:
    """Give each product its SQL view."""
    sql_views.refresh()
