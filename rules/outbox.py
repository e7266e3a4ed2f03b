"""Promises to the outside world, written in the transaction of what caused them: both are committed, or neither."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.utils import timezone

from rules.models import OutboxItem


class Promise(NamedTuple):
    """What shall be delivered: `payload` is JSON, and its shape belongs to the adapter of `kind`."""

    tenant_id: int
    kind: str
    target: int | None
    device_id: int | None
    payload: dict[str, Any]


def promise(promises: Sequence[Promise]) -> None:
    """Write promises in the caller's transaction; they are delivered once it is committed, in this order."""
    now = timezone.now()
    OutboxItem.objects.bulk_create(OutboxItem(**each._asdict(), due_at=now, created_at=now) for each in promises)
