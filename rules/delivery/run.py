"""Delivering: lease a target, send what is due for it, note what became of it; again, until nothing is due anywhere."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import structlog
from django.db.models import F
from django.utils import timezone

from iotpanel import metrics
from rules.carriers.base import Carrier
from rules.carriers.opened import close_idle, is_open, opened
from rules.models import Delivery, Target
from rules.outside.errors import Down, Gone, Rejected, shortened

from . import lease, queue
from .parcels import Parcel, Sent
from .sending import send_all

SECONDS = 20.0  # one run
TURN = 5.0  # seconds for one target, before others have theirs
RUNS = 3  # of a process at a time, so that slow targets leave threads for other tasks
RENEW = 3.0  # seconds
SENT = 2_000  # characters kept of what was sent
log = structlog.get_logger(__name__)
_running = threading.BoundedSemaphore(RUNS)


def deliver(seconds: float = SECONDS) -> int:
    """Deliver what is due, for at most about this long; returns the messages delivered. Any number may run side by side."""
    if not _running.acquire(blocking=False):
        return 0
    try:
        until, delivered, done = time.monotonic() + seconds, 0, set[int]()
        while time.monotonic() < until and (target := lease.take(done)):
            try:
                served = serve(target, min(until, time.monotonic() + TURN))
                delivered += served
                if target.failures or not served:  # once a run is enough
                    done.add(target.pk)
            finally:
                lease.release(target)
        close_idle()
        return delivered
    finally:
        _running.release()


def serve(target: Target, until: float) -> int:
    """Deliver to one leased target until nothing is due, it is down, or its turn is over; returns the messages delivered."""
    delivered = 0
    try:
        while more := _batch_or_again(target):
            delivered += more
            if time.monotonic() > until or resting(target) or not lease.renew(target):
                break
    except Gone as error:
        dead = queue.give_up(target, shortened(str(error)))
        log.info("outbox_given_up", kind=target.kind, target=target.target, rows=dead, reason=str(error))
    except Down as error:
        _note_down(target, str(error), error.after)
    return delivered


def resting(target: Target) -> bool:
    """Whether the target is left alone for a while after a delivery."""
    return target.paused_until is not None and target.paused_until > timezone.now()


def _batch_or_again(target: Target) -> int:
    """A connection that was kept open may have ended meanwhile, which says nothing about the other side: try a fresh one."""
    kept = is_open(target)
    try:
        return _batch(target)
    except Down as error:
        if not kept or error.after:  # who asks to be left alone was reached
            raise
    return _batch(target)


def _batch(target: Target) -> int:
    """Send one batch and note what became of it; how many messages are done with. Raises Gone, Down."""
    with opened(target) as carrier:
        probing = target.failures > 0
        rows = carrier.batch if carrier.gathers else 1 if probing else queue.ROWS
        parcels = queue.next_parcels(target, rows=rows, early=carrier.gathers)
        if not parcels:
            return 0
        started = time.perf_counter()
        chosen = parcels[:1] if probing and not carrier.gathers else parcels
        with _with_words():
            sent = send_all(chosen, carrier.send, batch=carrier.batch, alive=_Alive(target))
        metrics.OUTBOX_SECONDS.labels(target.kind).observe(time.perf_counter() - started)
        _note(target, carrier, sent)
        if sent.down:
            raise Down(sent.down, after=sent.after)
        return len(sent.delivered) + len(sent.refused)


class _Alive:
    """Renews the lease now and then while a batch is sent in pieces."""

    def __init__(self, target: Target) -> None:
        self.target, self.next = target, time.monotonic() + RENEW

    def __call__(self) -> bool:
        if time.monotonic() < self.next:
            return True
        self.next = time.monotonic() + RENEW
        return lease.renew(self.target)


@contextmanager
def _with_words() -> Iterator[None]:
    """What a client library raises without our having foreseen it pauses the target with its words, and loses nothing."""
    try:
        yield
    except (Down, Rejected, Gone):
        raise
    except Exception as error:
        log.warning("delivery_failed", error=repr(error)[:300], exc_info=error)
        raise Down(f"{type(error).__name__}: {error}") from error


def _note(target: Target, carrier: Carrier, sent: Sent) -> None:
    dead = queue.settle(target, sent, keep=carrier.keeps)
    metrics.OUTBOX_MESSAGES.labels(target.kind, "delivered").inc(len(sent.delivered))
    metrics.OUTBOX_MESSAGES.labels(target.kind, "refused").inc(len(sent.refused))
    metrics.OUTBOX_MESSAGES.labels(target.kind, "given_up").inc(dead)
    changes: dict[str, object] = {"delivered": F("delivered") + len(sent.delivered), "dead": F("dead") + dead}
    if sent.delivered and not sent.down:
        rest = carrier.rest()
        now = timezone.now()
        changes |= {"failures": 0, "last_ok_at": now, "paused_until": now + timedelta(seconds=rest) if rest else None}
        target.failures = 0
        target.paused_until = now + timedelta(seconds=rest) if rest else None
    if sent.refused:
        changes |= {"last_error": sent.refused[0][1], "last_error_at": timezone.now()}
    Target.objects.filter(pk=target.pk).update(**changes)
    if sent.delivered and carrier.recorded:
        record(target, sent.delivered, ok=True, answer=sent.answer, sent=carrier.sent)
    if sent.refused:
        record(target, [parcel for parcel, _ in sent.refused], ok=False, answer=sent.refused[0][1])


def _note_down(target: Target, words: str, after: float = 0.0) -> None:
    """Leave the target alone for a while, longer each time, and no shorter than it asks for (`after`: seconds)."""
    words, now = shortened(words), timezone.now()
    pause = max(queue.pause(target.failures + 1), timedelta(seconds=after))
    changes = {"failures": F("failures") + 1, "paused_until": now + pause}
    Target.objects.filter(pk=target.pk).update(**changes, last_error=words, last_error_at=now)
    metrics.OUTBOX_MESSAGES.labels(target.kind, "down").inc()
    first = target.failures == 0
    target.failures += 1
    log.info("outbox_target_down", kind=target.kind, target=target.target, failures=target.failures, error=words)
    if first or words != target.last_error:
        record(target, [], ok=False, answer=words)


def record(target: Target, parcels: Sequence[Parcel], *, ok: bool, answer: str, sent: str = "", test: bool = False) -> None:
    """Write down what was sent and answered."""
    text = sent or (str(parcels[0].entry) if parcels else "")
    Delivery.objects.create(
        tenant_id=target.tenant_id,
        kind=target.kind,
        target=target.target,
        lane=target.lane,
        at=timezone.now(),
        ok=ok,
        test=test,
        messages=max(1, len(parcels)) if not test else 1,
        sent=text[:SENT].replace("\0", ""),
        answer=shortened(answer),
    )
