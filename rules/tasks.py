"""What the task workers do for rules: keep promises. Each run is bounded and may die."""

import structlog
from celery import shared_task

from . import tallies
from .delivery import old, run

log = structlog.get_logger(__name__)


@shared_task
def deliver_outbox() -> None:
    """Deliver what is due."""
    run.deliver()


@shared_task
def drop_old_deliveries() -> None:
    """Drop delivered and dead rows of the outbox, records of deliveries, and counts of firings, that are kept no longer."""
    if dropped := old.drop():
        log.info("dropped_old_deliveries", rows=dropped)
    tallies.drop_old()
