"""From rows of the outbox to single messages and back: what of a bundle was delivered is taken out of it."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from rules.models import OutboxItem


class Parcel(NamedTuple):
    """One message of a row: its place in the row's bundle, the line within which order is kept, and what is to be said."""

    item: OutboxItem
    position: int
    line: str
    entry: Any

    @property
    def tries(self) -> int:
        """How often this very message was refused."""
        return int((self.item.payload.get("tries") or {}).get(str(self.position), 0)) if bundled(self.item) else self.item.attempts


class Sent(NamedTuple):
    """What became of parcels: delivered, refused for what they say (with the other side's words), and the rest, which waits.

    Where the other side is `down`, it may ask to be left alone for so many seconds (`after`).
    """

    delivered: list[Parcel]
    refused: list[tuple[Parcel, str]]
    down: str = ""
    answer: str = ""
    after: float = 0.0


def bundled(item: OutboxItem) -> bool:
    return isinstance(item.payload.get("entries"), list)


def unpack(items: Iterable[OutboxItem]) -> list[Parcel]:
    """All messages of these rows, in order."""
    return [
        Parcel(item, position, line_of(item, entry), entry)
        for item in items
        for position, entry in enumerate(item.payload["entries"] if bundled(item) else [item.payload])
    ]


def line_of(item: OutboxItem, entry: Any) -> str:
    """Messages of one line are delivered in order: an entry of a bundle begins with its device's key."""
    return str(entry[0]) if isinstance(entry, list) and entry else f"#{item.device_id}"


def lines(items: Iterable[OutboxItem]) -> set[str]:
    return {parcel.line for parcel in unpack(items)}


def without(item: OutboxItem, gone: set[int], tries: dict[int, int]) -> dict[str, Any]:
    """The payload of a bundle without the messages at these places; `tries` by the place that they had."""
    left = [(position, entry) for position, entry in enumerate(item.payload["entries"]) if position not in gone]
    counted = {str(new): tries[old] for new, (old, _) in enumerate(left) if tries.get(old)}
    payload = {name: value for name, value in item.payload.items() if name != "tries"} | {"entries": [entry for _, entry in left]}
    return payload | ({"tries": counted} if counted else {})


def by_item(parcels: Sequence[Parcel]) -> dict[int, list[Parcel]]:
    found: dict[int, list[Parcel]] = {}
    for parcel in parcels:
        found.setdefault(parcel.item.pk, []).append(parcel)
    return found
