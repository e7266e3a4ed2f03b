"""The raw archive: messages as they came, written in the batch's transaction, dropped after a few days.

Only for products that ask for it (`archive_days`); nothing is paid for the others.
"""

import struct
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from devices.models import Product
from devices.timestamps import to_datetime, to_microseconds
from iotpanel.statements import execute

from .models import ArchivedMessage
from .pruning import Deadline, old_rows
from .stores.backend import features
from .stores.backend.packed import EPOCH_2000
from .stores.session import copy, unavailable_unless_refused

COPY = "COPY telemetry_archive (device_id, received_at, topic, source, payload) FROM STDIN (FORMAT binary)"
_HEAD, _TAIL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_FIXED = struct.Struct(">hiqiqi")  # fields, length, device, length, received at, length of the topic
_SIZE = struct.Struct(">i")
DISTINCT_TRIES = 1000

DELETE = """
    DELETE FROM telemetry_archive AS row USING (
        SELECT device_id, old.received_at FROM unnest(%s) AS device_id CROSS JOIN LATERAL (
            SELECT received_at FROM telemetry_archive AS old
            WHERE old.device_id = device_id.device_id AND received_at < %s ORDER BY received_at LIMIT %s
        ) AS old
    ) AS gone WHERE row.device_id = gone.device_id AND row.received_at = gone.received_at AND row.received_at < %s
"""
DROP_CHUNKS = "SELECT drop_chunks('telemetry_archive'::regclass, older_than => %s)"


class Received(NamedTuple):
    """One message on its way into the archive; `received_at` in µs since 1970."""

    device_id: int
    received_at: int
    topic: str
    source: str
    payload: bytes


def write(messages: Sequence[Received]) -> None:
    """Keep these messages, in the caller's transaction. Raises Unavailable."""
    with unavailable_unless_refused(savepoint=False):
        try:
            with transaction.atomic():
                copy(COPY, b"".join([_HEAD, *map(_row, messages), _TAIL]))
        except IntegrityError:  # two processes gave one device the same instant
            _write_one_by_one(messages)


def _row(message: Received) -> bytes:
    topic, source = _text(message.topic), _text(message.source)
    fixed = _FIXED.pack(5, 8, message.device_id, 8, message.received_at - EPOCH_2000, len(topic))
    return b"".join([fixed, topic, _SIZE.pack(len(source)), source, _SIZE.pack(len(message.payload)), message.payload])


def _text(text: str) -> bytes:
    """Bytes that PostgreSQL takes as text, whatever a device put into its topic."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace")


def _write_one_by_one(messages: Sequence[Received]) -> None:
    """Each at its instant or just after it, where it is taken. A message that finds no room within a millisecond is left out."""
    for message in messages:
        for later in range(DISTINCT_TRIES):
            _made, new = ArchivedMessage.objects.get_or_create(
                device_id=message.device_id,
                received_at=to_datetime(message.received_at + later),
                defaults={"topic": _text(message.topic).decode(), "source": message.source, "payload": message.payload},
            )
            if new:
                break


def drop(*, seconds: float = 30) -> int:
    """Drop what is kept no longer, at most for about so many seconds; rows and chunks that went."""
    now, deadline = timezone.now(), Deadline(seconds)
    longest = max((product.archive_days or 0 for product in Product.objects.exclude(archive_days=None)), default=0)
    gone = 0
    if features.active(connection):
        gone += len(execute(DROP_CHUNKS, [now - timedelta(days=longest)]))
    if not ArchivedMessage.objects.exists():
        return gone
    for product in Product.objects.order_by("id"):
        days = product.archive_days or 0
        if not days or days < longest or not features.active(connection):
            before = to_microseconds(now - timedelta(days=days))
            gone += old_rows(DELETE, list(product.devices.values_list("id", flat=True)), before, deadline)
    return gone
