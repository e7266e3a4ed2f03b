"""Replay of dead letters, after the codec, the thing model or the registry was mended.

What is accepted is stored at the time when it first came; what is refused again keeps its letter, with the new
reason. A frame that now splits into several reports may leave letters of its own for those that are still bad.
Many letters are the business of replay_runs.py, which replays them in pieces.
"""

from collections.abc import Sequence

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet

from devices.exceptions import Unavailable
from devices.messages import DeadLetter
from telemetry.models import DeadLetterRecord

from . import dead_letters, publish
from .memory import replaying
from .pipeline import commit

log = structlog.get_logger(__name__)
Letters = Sequence[tuple[int, DeadLetter]]


def replay(letters: QuerySet[DeadLetterRecord]) -> tuple[int, int]:
    """Process these dead letters again, oldest first; returns how many were accepted, and how many refused again.

    Raises Unavailable; what was done until then stays done.
    """
    replayed = failed = 0
    ids = list(letters.filter(replayed_at=None).order_by("received_at", "pk").values_list("pk", flat=True))
    for chunk in dead_letters.chunks(ids):
        accepted, refused = replay_chunk(chunk)
        replayed, failed = replayed + accepted, failed + refused
    return replayed, failed


def replay_chunk(ids: Sequence[int]) -> tuple[int, int]:
    """One transaction: what is stored and what is no longer a dead letter are decided together. Raises Unavailable."""
    try:
        with transaction.atomic():
            return _replay_records(dead_letters.lock(ids))
    except Unavailable:
        raise
    except (OperationalError, InterfaceError) as error:
        raise Unavailable(str(error)) from error
    except Exception as error:
        if len(ids) == 1:
            log.error("replay_failed", letter=ids[0], error=repr(error)[:500], exc_info=error)
            return 0, 1
    # Something in here fails in a way nobody foresaw: one by one, so that it costs itself only.
    results = [replay_chunk([each]) for each in ids]
    return sum(accepted for accepted, _ in results), sum(refused for _, refused in results)


def _replay_records(records: Sequence[DeadLetterRecord]) -> tuple[int, int]:
    if not records:
        return 0, 0
    again: dict[int, list[DeadLetter]] = {}

    def keep(letters: Letters) -> None:
        for place, letter in letters:
            record = records[place]
            if letter.payload == bytes(record.payload) and letter.position == record.index:
                again.setdefault(place, []).append(letter)
            else:
                dead_letters.write([letter])

    batch = [dead_letters.uplink_of(record) for record in records]
    with replaying():
        findings = commit(batch, keep)
    accepted = dead_letters.settle_all(records, again)
    transaction.on_commit(lambda: publish.committed(batch, findings))
    return accepted, len(records) - accepted
