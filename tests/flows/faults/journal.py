"""The ledger outside of the system: what was sent, what was acknowledged, and what that says about what was found.

It knows nothing of the product. A report is recognised by its number `n`, which no other report of a journal has.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

IDENTITY = "n"
SHOWN = 5


class Row(NamedTuple):
    """A report as somebody returns it: SQL, or REST."""

    device: str
    at: int  # µs since 1970
    values: Mapping[str, Any]


@dataclass(slots=True)
class Entry:
    """A report as it was sent; `at` in µs, None where the server gives it its time. Poison must not be stored."""

    device: str
    number: int
    at: int | None
    values: Mapping[str, Any]
    poison: bool = False
    sent_at: float = 0.0
    acknowledged: bool = False


@dataclass
class Discrepancies:
    """Each list holds one text per case; all are empty where nothing is wrong."""

    lost: list[str] = field(default_factory=list)
    phantom: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def __str__(self) -> str:
        found = {kind: cases for kind, cases in vars(self).items() if cases}
        return "; ".join(f"{len(cases)} {kind}: {', '.join(cases[:SHOWN])}" for kind, cases in found.items()) or "nothing"

    @property
    def kinds(self) -> set[str]:
        return {kind for kind, cases in vars(self).items() if cases}


class Journal:
    """Thread-safe: several senders write into one journal."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.entries: list[Entry] = []
        self.devices: set[str] = set()

    def next_numbers(self, count: int) -> range:
        """Numbers that nobody else gets. Placeholders stand in their place until `sent` is called."""
        with self._lock:
            first = len(self.entries)
            self.entries += [Entry("", number, None, {}, poison=True) for number in range(first, first + count)]
            return range(first, first + count)

    def sent(self, entry: Entry) -> None:
        """Note a report just before it goes out."""
        self.entries[entry.number] = entry
        self.devices.add(entry.device)

    def acknowledged(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self.entries[number].acknowledged = True

    @property
    def good(self) -> list[Entry]:
        """What has to be stored once it is acknowledged."""
        return [entry for entry in self.entries if not entry.poison]

    @property
    def owed(self) -> list[Entry]:
        """What was acknowledged, so that nobody else keeps it any more."""
        return [entry for entry in self.entries if entry.acknowledged]

    def missing(self, rows: Iterable[Row]) -> list[Entry]:
        """What was acknowledged and is not there: where something may be lost, whether it is only that."""
        there = {row.values.get(IDENTITY) for row in rows}
        return [entry for entry in self.good if entry.acknowledged and entry.number not in there]

    def audit(self, rows: Iterable[Row]) -> Discrepancies:
        """Compare what was found with what was sent. What nobody acknowledged may be there or not."""
        wrong = Discrepancies()
        found: defaultdict[int, list[Row]] = defaultdict(list)
        for row in rows:
            if self._knows(row):
                found[row.values[IDENTITY]].append(row)
            else:
                wrong.phantom.append(_shown(row))
        for entry in self.good:
            copies = found.get(entry.number, [])
            if not copies and entry.acknowledged:
                wrong.lost.append(f"{entry.device} n={entry.number}")
            if len(copies) > 1:
                wrong.duplicated.append(f"{entry.device} n={entry.number} at {[copy.at for copy in copies]}")
            wrong.altered += [f"{_shown(copy)} was sent as {entry.at} {entry.values}" for copy in copies if not _equal(entry, copy)]
        wrong.reordered += self._reordered(found)
        return wrong

    def audit_latest(self, latest: Mapping[str, Mapping[str, tuple[Any, int]]]) -> Discrepancies:
        """Compare `{device: {property: (value, µs)}}` with the newest that was sent of each property.

        An older value than that is `reordered`: latest went back. Only for reports with a time of their own, all of them acknowledged.
        """
        wrong = Discrepancies()
        for device, wanted in self._newest().items():
            shown = latest.get(device, {})
            for name, (at, value) in wanted.items():
                if name not in shown:
                    wrong.lost.append(f"{device} {name}")
                elif shown[name][1] < at:
                    wrong.reordered.append(f"{device} {name} shows {shown[name]}, newest is {(value, at)}")
                elif shown[name][1] > at:
                    wrong.phantom.append(f"{device} {name} shows {shown[name]}, newest is {(value, at)}")
                elif not same(shown[name][0], value):
                    wrong.altered.append(f"{device} {name} shows {shown[name]}, newest is {(value, at)}")
        return wrong

    def _newest(self) -> dict[str, dict[str, tuple[int, Any]]]:
        newest: defaultdict[str, dict[str, tuple[int, Any]]] = defaultdict(dict)
        for entry in self.good:
            for name, value in entry.values.items():
                if entry.at is not None and (name not in newest[entry.device] or newest[entry.device][name][0] <= entry.at):
                    newest[entry.device][name] = (entry.at, value)
        return newest

    def _knows(self, row: Row) -> bool:
        number = row.values.get(IDENTITY)
        if type(number) is not int or not 0 <= number < len(self.entries):
            return False
        entry = self.entries[number]
        return entry.device == row.device and not entry.poison

    def _reordered(self, found: Mapping[int, list[Row]]) -> list[str]:
        """Reports that the server timed have to lie in the order in which their device sent them."""
        newest: dict[str, tuple[int, int]] = {}
        wrong = []
        for entry in self.good:
            if entry.at is None and entry.number in found:
                at = min(row.at for row in found[entry.number])
                before, number = newest.get(entry.device, (0, -1))
                if at < before:
                    wrong.append(f"{entry.device} n={entry.number} lies before n={number}")
                newest[entry.device] = max((at, entry.number), (before, number))
        return wrong


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 and 1.0 are, 1 and true are not, whatever Python thinks of them."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def _equal(entry: Entry, row: Row) -> bool:
    return entry.at in (None, row.at) and same(entry.values, row.values)


def _shown(row: Row) -> str:
    return f"{row.device} {row.at} {json.dumps(row.values)[:200]}"
