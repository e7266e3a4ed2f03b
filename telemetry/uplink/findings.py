"""What a batch turned out to say, sorted by what has to be done about it, and the counts of its ledger."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar

import orjson

from devices.directory import DeviceEntry
from devices.exceptions import Invalid
from devices.messages import AttributeReport, DeadLetter, EventReport, Presence, Progress, Reply, Report, ShadowReport, Uplink

from .limiter import Drawn

T = TypeVar("T")
WHOLE: Final = object()  # the piece that is the whole payload
Counts = defaultdict[tuple[str, int], list[int]]
RECEIVED, STORED, DUPLICATE, REJECTED, DEAD_LETTERED, HEARTBEATS = range(6)


def _zeros() -> list[int]:
    return [0] * 6


class Origin(NamedTuple):
    """Where a report came from: enough to make its dead letter, wherever on its way it fails.

    `place` is the uplink's place in the batch. `piece` is the part of the payload that the report is, `child` the
    key that a gateway named for it, `position` its place among the reports of a decoded frame, `entry` its place in a list.
    """

    place: int
    uplink: Uplink
    device: DeviceEntry | None
    key: str
    piece: Any = WHOLE
    child: str = ""
    position: int | None = None
    entry: int | None = None

    @property
    def payload(self) -> bytes:
        """The bytes that, sent again on the same topic, say this report and nothing else."""
        if self.piece is WHOLE:
            return self.uplink.payload
        value = {self.child: self.piece} if self.child else self.piece
        try:
            encoded = orjson.dumps(value)
        except (TypeError, ValueError):
            encoded = b"null"
        if b"null" in encoded:  # perhaps an infinity, which orjson can't write: 1e400 is what the device sent
            encoded = json.dumps(value).replace("-Infinity", "-1e400").replace("Infinity", "1e400").encode()
        return encoded


class Pending(NamedTuple, Generic[T]):
    """Things of one kind to be written, each beside its origin."""

    items: list[T]
    origins: list[Origin]

    def add(self, item: T, origin: Origin) -> None:
        self.items.append(item)
        self.origins.append(origin)


@dataclass(slots=True)
class Findings:
    """One batch's findings.

    `counts` is keyed by (source, device id or 0) and holds six numbers
    (RECEIVED ...); `heard` pairs an uplink's place with each known device that it concerns; `present` holds each device
    that spoke, by id, with the last time; `presences` are words about being there, and once written, what they changed;
    `connected` are those who said, or of whom the broker said, that they have come."""

    reports: Pending[Report] = field(default_factory=lambda: Pending([], []))
    attributes: Pending[AttributeReport] = field(default_factory=lambda: Pending([], []))
    events: Pending[EventReport] = field(default_factory=lambda: Pending([], []))
    replies: Pending[Reply] = field(default_factory=lambda: Pending([], []))
    shadows: Pending[ShadowReport] = field(default_factory=lambda: Pending([], []))
    words: Pending[Progress] = field(default_factory=lambda: Pending([], []))
    present: dict[int, tuple[DeviceEntry, int]] = field(default_factory=dict)
    connected: set[int] = field(default_factory=set)
    presences: list[tuple[DeviceEntry, Presence]] = field(default_factory=list)
    offsets: dict[int, int] = field(default_factory=dict)
    letters: list[tuple[int, DeadLetter]] = field(default_factory=list)
    refusals: list[tuple[int, str]] = field(default_factory=list)
    counts: Counts = field(default_factory=lambda: defaultdict(_zeros))
    heard: list[tuple[int, int]] = field(default_factory=list)
    drawn: Drawn = field(default_factory=Drawn)
    archived: list[tuple[Origin, int]] = field(default_factory=list)  # with the device whose message it is
    bases: dict[tuple[int, int], int] = field(default_factory=dict)  # (place, device id): when its first report without a time is

    def count(self, origin: Origin, what: int) -> None:
        """Count one report of `origin`; whatever its fate, it was received too."""
        counts = self.counts[origin.uplink.source, origin.device.id if origin.device else 0]
        counts[what] += 1
        if what != HEARTBEATS:
            counts[RECEIVED] += 1

    @property
    def is_mixed(self) -> bool:
        """Whether there is more to write than reports that tells only then what becomes of it."""
        return any(pending.items for pending in (self.attributes, self.events, self.replies, self.shadows, self.words))

    def counts_with(self, origins: Sequence[Origin], what: int) -> Counts:
        """The counts as they would be with one report of each origin more."""
        before = self.counts
        self.counts = defaultdict(_zeros, {owner: [*numbers] for owner, numbers in before.items()})
        try:
            self.count_all(origins, what)
            return self.counts
        finally:
            self.counts = before

    def count_all(self, origins: Sequence[Origin], what: int) -> None:
        """Count one report of each origin, device by device."""
        owners = Counter([(origin.uplink.source, origin.device.id if origin.device else 0) for origin in origins])
        for owner, number in owners.items():
            counts = self.counts[owner]
            counts[what] += number
            counts[RECEIVED] += number

    def bury(self, origin: Origin, error: Invalid, received_at: int | None = None) -> None:
        """Make a dead letter of a report. `received_at` is the time that a replay takes where the report has none."""
        device = origin.device
        self.count(origin, DEAD_LETTERED)
        letter = DeadLetter(
            reason=error.code,
            detail=error.detail,
            topic=origin.uplink.topic,
            payload=origin.payload,
            received_at=received_at or origin.uplink.received_at,
            source=origin.uplink.source,
            key=origin.key,
            position=origin.position,
            device_id=device.id if device else None,
            product_id=device.product.id if device else None,
            tenant_id=device.tenant_id if device else None,
            entry=origin.entry,
        )
        self.letters.append((origin.place, letter))

    def reject(self, origin: Origin, code: str) -> None:
        """Refused by policy: counted, not kept."""
        self.count(origin, REJECTED)
        self.refusals.append((origin.place, code))
