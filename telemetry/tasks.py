"""What is done in the background for the data: summed, rolled up, erased, dropped. Each run is bounded and may die."""

import time
from typing import Any

import structlog
from celery import shared_task
from django.db import transaction

from devices.exceptions import Unavailable
from iotpanel.nudges import nudge

from . import archive, compression, erasure, ledger, old_records, reprocess, retention, rollups, sql_views
from .models import ReprocessRun
from .uplink import replay_runs

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
    records = old_records.drop(seconds=60) + archive.drop(seconds=60)
    if any(dropped) or records:
        log.info("dropped_old", **dropped._asdict(), records=records)


@shared_task
def reprocess_archived() -> None:
    """Go on with the runs that decode archived messages anew; beat sends this too, so none is forgotten."""
    for run in ReprocessRun.objects.unfinished().order_by("pk"):
        try:
            reprocess.go_on(run, seconds=20)
        except Unavailable as error:
            log.warning("reprocess_waits", run=run.pk, error=str(error)[:300])


@shared_task
def replay_letters() -> None:
    """Go on with the replays of dead letters that a request left over; beat sends this too, so none is forgotten."""
    if replay_runs.advance(seconds=20):
        nudge(replay_runs.TASK, expires=60)


def soon(task: Any) -> None:
    """Run a task once the transaction is committed. Best effort: beat sends it anyway."""
    transaction.on_commit(lambda: nudge(task.name, expires=60))


@shared_task
def refresh_views() -> None:
    """Give each product its SQL view."""
    sql_views.refresh()
