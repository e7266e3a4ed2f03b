"""The rows that wait for a target: which are next, what became of them, and those that people put back."""

import random
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from rules.models import Delivery, OutboxItem, Target

from .parcels import Parcel, Sent, bundled, by_item, lines, unpack, without

ROWS = 100  # rows taken at a time, each a message or a bundle of up to 500
HELD = 2_000  # rows that wait for a retry, looked at to keep their devices' order
TRIES = 6  # refused this often, a message is given up
State = OutboxItem.State
_ROWS_OF_TARGET = OutboxItem.objects.filter(
    tenant_id=OuterRef("tenant_id"), kind=OuterRef("kind"), target=OuterRef("target"), lane=OuterRef("lane")
)
KEPT = Exists(_ROWS_OF_TARGET)  # of a query of targets: whether there are rows at all
RECORDED = Exists(
    Delivery.objects.filter(tenant_id=OuterRef("tenant_id"), kind=OuterRef("kind"), target=OuterRef("target"), lane=OuterRef("lane"))
)  # whether anything that was sent to it is still shown
WAITS = Exists(_ROWS_OF_TARGET.filter(state=State.WAITING))


def of(target: Target) -> QuerySet[Any]:
    """Everything that was ever promised to a target."""
    return OutboxItem.objects.filter(tenant_id=target.tenant_id, kind=target.kind, target=target.target, lane=target.lane)


def next_parcels(target: Target, *, rows: int = ROWS, early: bool = False) -> list[Parcel]:
    """What can be sent now, in order. `early` takes along what is not due, and was never refused."""
    waiting, now = of(target).filter(state=State.WAITING).order_by("id"), timezone.now()
    later = waiting.filter(due_at__gt=now, attempts__gt=0) if early else waiting.filter(due_at__gt=now)
    held = lines(later[:HELD])
    due = waiting.exclude(attempts__gt=0, due_at__gt=now) if early else waiting.filter(due_at__lte=now)
    parcels = unpack(due[:rows])
    ready = [parcel for parcel in parcels if parcel.line not in held]
    if len(ready) < len(parcels):
        _postpone({parcel.item.pk for parcel in parcels} - {parcel.item.pk for parcel in ready}, later)
    return ready


def _postpone(pks: set[int], blockers: QuerySet[Any]) -> None:
    """Rows that wait behind a refused message of their device become due with it, so that others are looked at meanwhile."""
    if first := blockers.order_by("due_at").values_list("due_at", flat=True).first():
        OutboxItem.objects.filter(pk__in=pks).update(due_at=first)


@transaction.atomic
def settle(target: Target, sent: Sent, *, keep: bool) -> int:
    """Note what became of parcels; returns how many were given up. `keep`: delivered rows stay for the history."""
    now, given_up = timezone.now(), 0
    delivered = by_item(sent.delivered)
    refused: dict[int, list[tuple[Parcel, str]]] = {}
    for parcel, words in sent.refused:
        refused.setdefault(parcel.item.pk, []).append((parcel, words))
    items = {parcel.item.pk: parcel.item for parcel in (*sent.delivered, *(parcel for parcel, _ in sent.refused))}
    whole = [pk for pk, item in items.items() if pk not in refused and len(delivered[pk]) == item.messages]
    if keep:
        OutboxItem.objects.filter(pk__in=whole).update(state=State.DELIVERED, delivered_at=now, last_error="")
    else:
        OutboxItem.objects.filter(pk__in=whole).delete()
    for pk in items.keys() - set(whole):
        given_up += _settle_part(items[pk], delivered.get(pk, []), refused.get(pk, []), now)
    return given_up


def _settle_part(item: OutboxItem, delivered: list[Parcel], refused: list[tuple[Parcel, str]], now: datetime) -> int:
    """A row of which something is left: what was refused too often becomes a dead row of its own, the rest waits."""
    last = {parcel.position: words for parcel, words in refused if parcel.tries + 1 >= TRIES}
    if not bundled(item):
        item.attempts += 1
        item.last_error = refused[0][1]
        item.state, item.due_at = (State.DEAD, now) if last else (State.WAITING, now + pause(item.attempts))
        item.save(update_fields=["attempts", "last_error", "state", "due_at"])
        return len(last)
    for position, words in last.items():
        _bury(item, position, words)
    tries = {parcel.position: parcel.tries for parcel in unpack([item])}
    tries |= {parcel.position: parcel.tries + 1 for parcel, _ in refused}
    gone = {parcel.position for parcel in delivered} | set(last)
    _keep_rest(item, without(item, gone, tries), [words for parcel, words in refused if parcel.position not in last], now)
    return len(last)


def _keep_rest(item: OutboxItem, payload: dict[str, Any], words: list[str], now: datetime) -> None:
    """The rest of a bundle waits for as long as its most often refused message has to."""
    if not payload["entries"]:
        item.delete()
        return
    if words:
        item.attempts = max([1, *payload.get("tries", {}).values()])
        item.due_at, item.last_error = now + pause(item.attempts), words[0]
    else:
        item.attempts = max([0, *payload.get("tries", {}).values()])
    item.payload, item.messages = payload, len(payload["entries"])
    item.save(update_fields=["payload", "messages", "attempts", "due_at", "last_error"])


def _bury(item: OutboxItem, position: int, words: str) -> None:
    """A message of a bundle that was refused too often, as a dead row of its own."""
    entry = item.payload["entries"][position]
    payload = {name: value for name, value in item.payload.items() if name != "tries"} | {"entries": [entry]}
    fields = {"tenant_id": item.tenant_id, "kind": item.kind, "target": item.target, "lane": item.lane, "device_id": item.device_id}
    OutboxItem.objects.create(
        **fields, payload=payload, state=State.DEAD, attempts=TRIES, due_at=item.due_at, created_at=item.created_at, last_error=words
    )


def pause(attempt: int, *, first: float = 1.0, longest: float = 300.0) -> timedelta:
    """Twice as long each time, up to a bound, with jitter so that not all come back at once."""
    seconds = min(first * 2 ** min(attempt - 1, 20), longest)
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, guards nothing


def give_up(target: Target, words: str) -> int:
    """There is nobody to deliver to: what waits becomes dead, with the reason."""
    return of(target).filter(state=State.WAITING).update(state=State.DEAD, last_error=words)


def put_back(items: QuerySet[Any]) -> int:
    """Let dead rows be tried again from the beginning, by hand."""
    again = list(items.filter(state=State.DEAD).values_list("pk", "tenant_id", "kind", "target", "lane"))
    with transaction.atomic():
        for tenant_id, kind, target, lane in {row[1:] for row in again}:
            Target.objects.get_or_create(tenant_id=tenant_id, kind=kind, target=target, lane=lane)
        pks = [row[0] for row in again]
        return OutboxItem.objects.filter(pk__in=pks, state=State.DEAD).update(state=State.WAITING, attempts=0, due_at=Now())
