"""Erases the data of devices that are gone, in bounded steps.

A trigger leaves word of each deleted device (`Erasure`). The word stays for a while after the first pass, because a
batch that was under way, or a message still queued, may write some more.
"""

from datetime import timedelta

from django.utils import timezone

from .models import Erasure
from .pruning import Deadline, until_none

ROWS_AT_ONCE = 5000
STAYS = timedelta(minutes=15)

# Every table that knows a device by its number alone, with the columns of its key.
TABLES = {
    "telemetry_report": ("at",),
    "telemetry_event": ("at", "name", "digest"),
    "telemetry_rollup_minute": ("property", "bucket"),
    "telemetry_rollup_hour": ("property", "bucket"),
    "telemetry_rollup_day": ("property", "bucket"),
    "telemetry_dirtybucket": ("hour", "claimed"),
    "telemetry_attributechange": ("id",),
    "devices_presencechange": ("id",),
    "devices_groupchange": ("id",),
    "devices_labelchange": ("id",),
    "telemetry_archive": ("received_at",),
    "telemetry_ledgerhour": ("hour",),
    "telemetry_latest": (),
}


def run(*, seconds: float = 30) -> int:
    """Erase at most for about so many seconds; how many rows went. The next run goes on."""
    deadline, erased = Deadline(seconds), 0
    for word in Erasure.objects.order_by("requested_at", "device_id"):
        erased += _erase(word.device_id, deadline)
        if deadline.is_over():
            break
        if word.requested_at < timezone.now() - STAYS:
            word.delete()
    return erased


def _erase(device_id: int, deadline: Deadline) -> int:
    """Latest values go last: they name what the others hold."""
    return sum(until_none(_delete(table, key), [device_id, device_id, ROWS_AT_ONCE], deadline) for table, key in TABLES.items())


def _delete(table: str, key: tuple[str, ...]) -> str:
    columns = ", ".join(("device_id", *key))
    return f"""
        DELETE FROM {table} WHERE device_id = %s AND ({columns}) IN (SELECT {columns} FROM {table} WHERE device_id = %s LIMIT %s)
    """  # noqa: S608 - our own names
