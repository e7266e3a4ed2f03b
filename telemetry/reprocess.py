"""Decodes archived messages anew, with the codec and the thing model as they are now.

A run goes device by device in order of arrival, in bounded transactions that move its mark together with the data: it
may die at any point and goes on from there. Doing it twice changes nothing. Reports merge into what is stored, a value
that comes out differently overwrites; what the new codec says no more stays.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from devices.exceptions import Unavailable
from devices.messages import DeadLetter, Uplink
from devices.models import Device, Product
from devices.timestamps import to_datetime, to_microseconds
from iotpanel.tenants.models import User

from .models import ArchivedMessage, DeadLetterRecord, ReprocessRun
from .models.run import RunState
from .uplink import dead_letters, publish
from .uplink.findings import DEAD_LETTERED, DUPLICATE, HEARTBEATS, STORED
from .uplink.memory import replaying
from .uplink.pipeline import commit

AT_ONCE = 500  # messages of one transaction
BYTES_AT_ONCE = 4_000_000
NEAR = timedelta(milliseconds=1)  # a dead letter's time may be some microseconds after its message's
log = structlog.get_logger(__name__)
Letters = Sequence[tuple[int, DeadLetter]]


class Step(NamedTuple):
    """What one transaction did."""

    messages: int = 0
    stored: int = 0
    unchanged: int = 0
    failed: int = 0


@transaction.atomic
def start(
    product: Product,
    *,
    since: datetime,
    until: datetime | None = None,
    device: Device | None = None,
    started_by: User | None = None,
) -> ReprocessRun:
    """A run over what the product's devices (or one of them) sent in [since, until). Raises ValidationError by field."""
    until = min(until or timezone.now(), timezone.now())
    if since >= until:
        raise ValidationError({"since": _("This is not before the end.")}, code="bad_interval")
    if device is not None and device.product_id != product.pk:
        raise ValidationError({"device": _("There is no such device of this product.")}, code="unknown")
    return ReprocessRun.objects.create(product=product, device=device, since=since, until=until, started_by=started_by)


@transaction.atomic
def cancel(run: ReprocessRun) -> None:
    """What is done stays done."""
    ReprocessRun.objects.filter(pk=run.pk, state=RunState.RUNNING).update(state=RunState.CANCELLED, finished_at=timezone.now())


def go_on(run: ReprocessRun, *, seconds: float = float("inf")) -> ReprocessRun:
    """Take steps until the run is done, at most for about so many seconds. Raises Unavailable; what was done stays done."""
    end = time.monotonic() + seconds
    while _step(run.pk) and time.monotonic() < end:
        pass
    run.refresh_from_db()
    return run


def _step(run_id: int) -> bool:
    """One transaction; False where there is nothing to do, or another process does it."""
    with transaction.atomic():
        run = ReprocessRun.objects.unfinished().select_for_update(skip_locked=True, of=("self",)).filter(pk=run_id).first()
        if run is None:
            return False
        messages = _next(run)
        if not messages:
            run.state, run.finished_at = RunState.DONE, timezone.now()
            run.save(update_fields=["state", "finished_at"])
            return False
        done = _again(messages, run.product.tenant_id)
        run.device_id_done, run.received_at_done = messages[-1].device_id, messages[-1].received_at
        run.messages, run.stored = run.messages + done.messages, run.stored + done.stored
        run.unchanged, run.failed = run.unchanged + done.unchanged, run.failed + done.failed
        run.save(update_fields=["device_id_done", "received_at_done", "messages", "stored", "unchanged", "failed"])
    return True


def _next(run: ReprocessRun) -> list[ArchivedMessage]:
    """The messages behind the run's mark, bounded by number and bytes."""
    rows: QuerySet[ArchivedMessage] = ArchivedMessage.objects.filter(received_at__gte=run.since, received_at__lt=run.until)
    mine = Device.objects.filter(product=run.product_id).values("pk")
    rows = rows.filter(device_id=run.device_id) if run.device_id else rows.filter(device_id__in=mine)
    if run.received_at_done is not None:
        rows = rows.filter(Q(device_id=run.device_id_done, received_at__gt=run.received_at_done) | Q(device_id__gt=run.device_id_done))
    found: list[ArchivedMessage] = []
    size = 0
    for row in rows.order_by("device_id", "received_at")[:AT_ONCE].iterator(chunk_size=50):
        size += len(row.payload)
        if found and size > BYTES_AT_ONCE:
            break
        found.append(row)
    return found


def _again(messages: Sequence[ArchivedMessage], tenant_id: int) -> Step:
    """Decode and write these once more; one that fails in a way nobody foresaw costs itself only. Raises Unavailable."""
    try:
        with transaction.atomic():
            return _process(messages, tenant_id)
    except Unavailable:
        raise
    except Exception as error:
        if len(messages) == 1:
            log.error("reprocess_failed", device_id=messages[0].device_id, error=repr(error)[:500], exc_info=error)
            return Step(1, 0, 0, 1)
    middle = len(messages) // 2
    halves = [_again(messages[:middle], tenant_id), _again(messages[middle:], tenant_id)]
    return Step(*map(sum, zip(*halves, strict=True)))


def _process(messages: Sequence[ArchivedMessage], tenant_id: int) -> Step:
    batch = [Uplink(row.topic, bytes(row.payload), to_microseconds(row.received_at), "replay") for row in messages]
    with replaying():
        findings = commit(batch, lambda letters: _settle(_waiting(messages, tenant_id), letters))
    transaction.on_commit(lambda: publish.committed(batch, findings))
    sums = [sum(column) for column in zip(*findings.counts.values(), strict=True)] or [0] * 6
    return Step(len(messages), sums[STORED], sums[DUPLICATE] + sums[HEARTBEATS], sums[DEAD_LETTERED])


# --- Dead letters of these messages -----------------------------------------------------------------------------

Mark = tuple[str, bytes, int | None]  # topic, payload, report in frame


def _settle(waiting: dict[Mark, list[DeadLetterRecord]], letters: Letters) -> None:
    """Letters of messages that are accepted now are done; those refused again keep theirs; new refusals get one."""
    for _place, letter in letters:
        mark = (letter.topic, letter.payload, letter.position)
        same = [record for record in waiting.get(mark, []) if abs(record.received_at - to_datetime(letter.received_at)) <= NEAR]
        if same:
            waiting[mark].remove(same[0])
            dead_letters.settle(same[0], [letter])
        else:
            dead_letters.write([letter])
    for record in (record for records in waiting.values() for record in records):
        dead_letters.settle(record, [])


def _waiting(messages: Sequence[ArchivedMessage], tenant_id: int) -> dict[Mark, list[DeadLetterRecord]]:
    """The open dead letters that came from these messages."""
    came: dict[str, list[datetime]] = {}
    for message in messages:
        came.setdefault(message.topic, []).append(message.received_at)
    moments = [message.received_at for message in messages]
    near = DeadLetterRecord.objects.open().filter(
        tenant=tenant_id, received_at__gte=min(moments) - NEAR, received_at__lte=max(moments) + NEAR
    )
    found: dict[Mark, list[DeadLetterRecord]] = {}
    for record in near.filter(topic__in=came).select_for_update(skip_locked=True, of=("self",)):
        if any(abs(record.received_at - at) <= NEAR for at in came[record.topic]):
            found.setdefault((record.topic, bytes(record.payload), record.index), []).append(record)
    return found
