"""The uplink on one page: a batch of messages becomes data, or dead letters, in one transaction.

    refresh     learn what changed in the registry
    translate   who said it, what do the bytes mean, is it valid
    write       reports, latest values, attributes, events, presence, dead letters, the ledger, the sinks' share
    commit      only now may anybody forget the messages
    publish     best effort: counters, browsers, watched frames

`process` either commits the whole batch or raises Unavailable and has changed nothing. A message that nobody
foresaw costs itself only: the batch is halved until it is found, and it becomes a dead letter.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction
from django.utils.module_loading import import_string

from devices import presence
from devices.directory import DeviceEntry
from devices.exceptions import Invalid, Unavailable
from devices.messages import DeadLetter, Presence, Uplink
from iotpanel import databases
from telemetry import archive, at_once, attributes, events, latest, ledger
from telemetry.stores import store
from telemetry.stores.base import Written

from . import answers, dead_letters, publish
from .archiving import archived
from .findings import DUPLICATE, STORED, Counts, Findings, Origin, Pending
from .limiter import LIMITER
from .memory import memory
from .translate import translate

log = structlog.get_logger(__name__)
Letters = Sequence[tuple[int, DeadLetter]]


class Outcome(NamedTuple):
    """What became of a batch: reports, attribute objects and events by their fate, and the dead letters."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    dead_lettered: int = 0
    heartbeats: int = 0
    letters: tuple[DeadLetter, ...] = ()
    refusals: tuple[str, ...] = ()

    def __add__(self, other: object) -> "Outcome":
        if not isinstance(other, Outcome):
            return NotImplemented
        counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        return outcome_of(counts, self.letters + other.letters, self.refusals + other.refusals)

    @property
    def counts(self) -> tuple[int, ...]:
        """The six numbers, in the ledger's order."""
        return self.received, self.stored, self.duplicate, self.rejected, self.dead_lettered, self.heartbeats


def outcome_of(counts: Sequence[int], letters: tuple[DeadLetter, ...], refusals: tuple[str, ...]) -> Outcome:
    """An outcome from its six numbers."""
    received, stored, duplicate, rejected, dead_lettered, heartbeats = counts
    return Outcome(received, stored, duplicate, rejected, dead_lettered, heartbeats, letters, refusals)


def process(batch: Sequence[Uplink]) -> Outcome:
    """Accept a batch. Raises Unavailable where the database can't take it now: try the same batch again later."""
    try:
        findings = commit(batch, _keep)
    except Unavailable:
        raise
    except Exception as error:
        return _isolate(batch, error)
    publish.committed(batch, findings)
    return _outcome(findings)


def commit(batch: Sequence[Uplink], keep: Callable[[Letters], None]) -> Findings:
    """Translate and write a batch in one transaction; `keep` takes its dead letters, each with its uplink's place.

    Raises Unavailable, DataError, IntegrityError, and whatever else nobody foresaw; then nothing was written.
    """
    started = time.perf_counter()
    LIMITER.back(time.time_ns() // 1000)
    known = memory()
    try:
        known.directory.refresh()
        with transaction.atomic():
            findings = translate(batch, known.directory)
            translated = time.perf_counter()
            write(findings, keep)
    except (DataError, IntegrityError):
        known.forget()
        raise
    except DatabaseError as error:
        known.forget()
        databases.hang_up()
        raise Unavailable(str(error)) from error
    except Exception as error:
        known.forget()
        if isinstance(error, Unavailable) and not connection.in_atomic_block:
            databases.hang_up()  # the session may keep what made it useless, such as read-only since a failover
        raise
    LIMITER.settle(findings.drawn, findings.counts)
    publish.timed(len(batch), translated - started, time.perf_counter() - translated)
    return findings


def write(findings: Findings, keep: Callable[[Letters], None]) -> None:
    """Write everything that a batch says, in the caller's transaction."""
    if counted := _write_at_once(findings):
        said = [*findings.reports.items]
    else:
        stored = _write(findings, findings.reports, store().write)
        latest.merge(stored)
        said = [
            *stored,
            *_write(findings, findings.attributes, attributes.write_reported),
            *_write(findings, findings.events, events.write),
        ]
    _note_presence(findings)
    answers.write(findings)
    keep(findings.letters)
    if findings.archived:
        archive.write(archived(findings))
    if not counted:
        ledger.append(_by_device(findings.counts))
    for sink in _sinks():
        sink(said)


def _write_at_once(findings: Findings) -> bool:
    """Write reports and ledger in one statement, where nothing else can change the counts; False: nothing was written."""
    if findings.is_mixed or not store().in_tables:
        return False
    counts = findings.counts_with(findings.reports.origins, STORED)
    if done := at_once.write(findings.reports.items, _by_device(counts)):
        findings.counts = counts
    return done


def _keep(letters: Letters) -> None:
    dead_letters.write([letter for _, letter in letters])


def _write(findings: Findings, pending: Pending[Any], writer: Callable[[Sequence[Any]], Sequence[Written | Invalid]]) -> list[Any]:
    """Write things of one kind; count each by its fate and return those that were stored."""
    if not pending.items:
        return []
    fates = list(writer(pending.items))
    if fates.count(Written.STORED) == len(pending.items):  # nearly always
        findings.count_all(pending.origins, STORED)
        return pending.items
    stored = []
    for item, origin, fate in zip(pending.items, pending.origins, fates, strict=True):
        if isinstance(fate, Invalid):
            findings.bury(origin, fate, item.at)
        elif fate is Written.STORED:
            findings.count(origin, STORED)
            stored.append(item)
        else:
            findings.count(origin, DUPLICATE)
    return stored


def _note_presence(findings: Findings) -> None:
    """Write who was heard, as far as it says anything new, and keep only the changes for the browsers."""
    heard = memory().heard
    untimed = heard.untimed(findings.offsets)

    def is_news(device_id: int, at: int, online: bool) -> bool:
        return device_id in untimed or not (online and heard.knows(device_id, at))

    spoke = [(entry, Presence(entry.id, True, at, "uplink")) for entry, at in findings.present.values() if is_news(entry.id, at, True)]
    said = [(entry, word) for entry, word in findings.presences if is_news(entry.id, word.at, word.online)]
    words = sorted(spoke + said, key=_at) if said else spoke
    findings.presences = []
    if words:
        entries = {entry.id: entry for entry, _ in words}
        changed = presence.apply([word for _, word in words], findings.offsets)
        heard.note((word for _, word in words), findings.offsets)
        findings.presences = [(entries[word.device_id], word) for word in changed]
        if changed:
            presence.tell_sinks(changed)


def _at(word: tuple[DeviceEntry, Presence]) -> int:
    """Arrival times are distinct and rise, so they tell the order in which words came."""
    return word[1].at


def _by_device(counts: Counts) -> dict[int, list[int]]:
    """The ledger's counts by device, whatever way the messages came."""
    if len({source for source, _ in counts}) <= 1:
        return {device_id: numbers for (_, device_id), numbers in counts.items()}
    total: dict[int, list[int]] = {}
    for (_, device_id), numbers in counts.items():
        mine = total.setdefault(device_id, [0] * len(numbers))
        mine[:] = [one + other for one, other in zip(mine, numbers, strict=True)]
    return total


def _sinks() -> list[Callable[[Sequence[Any]], None]]:
    return [import_string(path) for path in settings.UPLINK_SINKS]


def _isolate(batch: Sequence[Uplink], error: Exception) -> Outcome:
    """Halve a batch that failed for a reason nobody foresaw until the culprit stands alone, and bury it."""
    if len(batch) > 1:
        middle = len(batch) // 2
        return process(batch[:middle]) + process(batch[middle:])
    log.error("uplink_refused", topic=batch[0].topic[:200], error=repr(error)[:500], exc_info=error)
    findings = Findings()
    origin = Origin(0, batch[0], None, "")
    findings.bury(origin, Invalid("store_refused", f"{type(error).__name__}: {error}"[:500]))
    try:
        with transaction.atomic():
            dead_letters.write([letter for _, letter in findings.letters])
            ledger.append(_by_device(findings.counts))
    except DatabaseError as failure:
        databases.hang_up()
        raise Unavailable(str(failure)) from failure
    publish.committed(batch, findings)
    return _outcome(findings)


def _outcome(findings: Findings) -> Outcome:
    sums = [sum(column) for column in zip(*findings.counts.values(), strict=True)] or [0] * 6
    return outcome_of(sums, tuple(letter for _, letter in findings.letters), tuple(code for _, code in findings.refusals))
