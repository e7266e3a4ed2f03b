"""Dead letters: written in the batch's transaction, replayed after a fix."""

from collections.abc import Iterable, Mapping, Sequence

from django.utils import timezone

from devices.messages import DeadLetter, Uplink
from devices.timestamps import to_datetime, to_microseconds
from telemetry.models import DeadLetterRecord

CHUNK = 500


def write(letters: Sequence[DeadLetter]) -> list[int]:
    """Keep these letters, in the caller's transaction; returns their ids."""
    rows = [
        DeadLetterRecord(
            tenant_id=letter.tenant_id,
            product_id=letter.product_id,
            device_id=letter.device_id,
            key=_text(letter.key)[:256],
            topic=_text(letter.topic),
            source=letter.source,
            reason=letter.reason,
            detail=_text(letter.detail)[:2000],
            payload=letter.payload,
            index=letter.position,
            received_at=to_datetime(letter.received_at),
        )
        for letter in letters
    ]
    return [row.pk for row in DeadLetterRecord.objects.bulk_create(rows)]


def uplink_of(record: DeadLetterRecord) -> Uplink:
    """The uplink that says again what this dead letter holds, at the time when it first came."""
    return Uplink(
        topic=record.topic,
        payload=bytes(record.payload),
        received_at=to_microseconds(record.received_at),
        source="replay",
        only=record.index,
    )


def chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    """The ids in portions that fit one transaction."""
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


def settle(record: DeadLetterRecord, again: Sequence[DeadLetter]) -> bool:
    """Mark a letter as accepted, or note why it was refused again; returns whether it was accepted."""
    if not again:
        record.replayed_at = timezone.now()
    else:
        record.reason, record.detail = _why(again[0])
    record.save(update_fields=["replayed_at", "reason", "detail"])
    return not again


def settle_all(records: Sequence[DeadLetterRecord], again: Mapping[int, Sequence[DeadLetter]]) -> int:
    """The same for a batch, `again` by place, in one statement for each reason that is new; returns how many were accepted."""
    accepted = [record.pk for place, record in enumerate(records) if not again.get(place)]
    DeadLetterRecord.objects.filter(pk__in=accepted).update(replayed_at=timezone.now())
    changed: dict[tuple[str, str], list[int]] = {}
    for place, letters in again.items():
        record, why = records[place], _why(letters[0])
        if why != (record.reason, record.detail):
            changed.setdefault(why, []).append(record.pk)
    for (reason, detail), ids in changed.items():
        DeadLetterRecord.objects.filter(pk__in=ids).update(reason=reason, detail=detail)
    return len(accepted)


def _why(letter: DeadLetter) -> tuple[str, str]:
    return letter.reason, _text(letter.detail)[:2000]


def lock(ids: Sequence[int]) -> list[DeadLetterRecord]:
    """These letters, oldest first, as far as they still wait for a replay; locked in the caller's transaction.

    One that another replay has in work is waited for: that one may judge it by what was true before the latest fix.
    """
    return list(DeadLetterRecord.objects.open().filter(pk__in=ids).order_by("received_at", "pk").select_for_update(of=("self",)))


def _text(text: str) -> str:
    """Text that PostgreSQL takes, whatever a device put into it."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()
