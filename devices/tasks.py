"""What is done in the background for devices."""

from celery import shared_task

from .jobs import engine


@shared_task
def advance_jobs() -> None:
    """A step of every running job."""
    engine.advance()
