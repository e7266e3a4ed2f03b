"""What devices say during a fault: seeded, of every shape that the contract knows, each report with a number."""

import json
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from .journal import Entry, Journal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WINDOW = 16
"""Reports are sent in an order that is wrong by up to this many places."""
DAYS = 20
"""How far back a device's times begin at most, so that some of them open a new chunk of the store."""
TEXTS = ("", "warm", "naïve café", "温度", "🌡️", '"quoted"\\', "<script>", "line\nbreak", "x" * 400)


class Message(NamedTuple):
    """A payload, and the numbers of the reports in it."""

    payload: bytes
    numbers: Sequence[int]


class Talk:
    """One device's words. `timed`: reports carry a time of their own, out of order; else the server gives it."""

    def __init__(self, device: str, journal: Journal, seed: str, *, timed: bool = True, now_us: int | None = None) -> None:
        self.device = device
        self.journal = journal
        self.timed = timed
        self.chance = random.Random(f"{seed} {device}")
        now = time.time_ns() // 1000 if now_us is None else now_us
        self.start = now // 1000 * 1000 - self.chance.randrange(3_600, DAYS * 86_400) * 1_000_000
        self.slots = list(range(WINDOW))

    def message(self) -> Message:
        """The next message, noted in the journal."""
        count = self.chance.choice((1, 1, 1, 1, 2, 3)) if self.timed else 1
        numbers = self.journal.next_numbers(count)
        reports = [self._report(number) for number in numbers]
        body = reports[0] if count == 1 else reports
        return Message(json.dumps(body, ensure_ascii=self.chance.random() < 0.5).encode(), numbers)

    def _report(self, number: int) -> dict[str, Any]:
        values = {"n": number, **self._values()}
        at = self._instant() if self.timed else None
        self.journal.sent(Entry(self.device, number, at, values, sent_at=time.monotonic()))
        return values if at is None else {"ts": self._written(at), "values": values}

    def _values(self) -> dict[str, Any]:
        choices = {
            "x": self.chance.uniform(-1e6, 1e6),
            "big": self.chance.randrange(-(2**63), 2**63),
            "text": self.chance.choice(TEXTS),
            "flag": self.chance.random() < 0.5,
            "shape": {"a": [1, 2.5, {"b": "c"}], "empty": {}},
        }
        return {name: choices[name] for name in self.chance.sample(sorted(choices), self.chance.randrange(4))}

    def _instant(self) -> int:
        place = self.chance.randrange(WINDOW)
        slot, self.slots[place] = self.slots[place], max(self.slots) + 1
        return self.start + slot * 1000

    def _written(self, at: int) -> Any:
        """A time as one or the other device writes it."""
        form = self.chance.randrange(12)
        if form == 0:
            return at  # µs
        if form == 1:
            return at * 1000  # ns
        if form == 2:
            return at / 1_000_000  # seconds with decimals
        if form == 3:
            return (EPOCH + timedelta(microseconds=at)).isoformat()
        return at // 1000
