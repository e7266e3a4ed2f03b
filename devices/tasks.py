"""What is done in the background for devices."""

from celery import shared_task

from .firmware import files
from .jobs import engine
from .models import Firmware


@shared_task
def advance_jobs() -> None:
    """A step of every running job."""
    engine.advance()


@shared_task
def drop_lost_images() -> None:
    """Images that no package names."""
    files.sweep(set(Firmware.objects.values_list("file", flat=True)))
