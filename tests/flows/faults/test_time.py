"""Time: bursts, redelivery, late data, clocks of every unit, and clocks that are wrong."""

import json
import random
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.flows.platform import Account, Platform
from tests.services import eventually

from . import witness
from .journal import Entry, Journal
from .senders import Mouth
from .talk import Message
from .trial import eventually_stored

BURST = 1_000
DAY = 86_400


def now_us() -> int:
    return time.time_ns() // 1000


class Device:
    """One device that writes down what it says."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.account: Account = platform.device()
        self.journal = Journal()
        self.mouth = Mouth(platform.services.mqtt_port, self.account, self.journal)

    def message(self, at: int | None, ts: Any = None, **values: Any) -> Message:
        """A report at this instant in µs, which is written as `ts`."""
        [number] = self.journal.next_numbers(1)
        said = {"n": number, **values}
        self.journal.sent(Entry(self.account.key, number, at, said))
        return Message(json.dumps(said if at is None else {"ts": at // 1000 if ts is None else ts, "values": said}).encode(), [number])

    def verify(self, *, timed: bool = True, duplicates: int = 0) -> None:
        try:
            eventually(self.mouth.is_settled)
            eventually_stored(self.platform, self.journal, [self.account.key])
            services, keys = self.platform.services, [self.account.key]
            for rows in (witness.sql_rows(services, keys), witness.rest_rows(self.platform, self.account)):
                assert not (wrong := self.journal.audit(rows)), wrong
            if timed:
                wrong = self.journal.audit_latest({self.account.key: witness.rest_latest(self.platform, self.account)})
                assert not wrong, wrong
            eventually(lambda: witness.ledger(services, keys)["duplicate"] == duplicates)
            counts = witness.ledger(services, keys)
            assert witness.is_identity(counts), counts
            assert counts["stored"] == len(self.journal.good)
            eventually(lambda: witness.identity_holds(self.platform))
        finally:
            self.mouth.close()


@pytest.mark.parametrize("timed", [False, pytest.param(True, marks=pytest.mark.long)], ids=["timed by us", "timed by the device"])
def test_a_thousand_messages_within_a_millisecond_are_a_thousand_readings(platform: Platform, timed: bool, seed: int) -> None:
    """The worker stands still until all are there, and takes them in one go; where they carry a time, they do so in µs."""
    device = Device(platform)
    start = now_us() // 1000 * 1000
    with platform.services.stalled("uplink"):
        for number in random.Random(seed).sample(range(BURST), BURST):
            at = start + number if timed else None
            device.mouth.say(device.message(at, at))
        eventually(device.mouth.is_settled)
    device.verify(timed=timed)
    assert len(platform.readings(device.account)) == BURST


def test_what_is_sent_again_is_known(platform: Platform, seed: int) -> None:
    """The same messages, in the same order or another, once and twice more."""
    device = Device(platform)
    chance = random.Random(seed)
    start = now_us() // 1000 * 1000 - DAY * 1_000_000
    messages = [device.message(start + number * 1000, x=chance.random()) for number in range(300)]
    again = chance.sample(messages, 200)
    for message in [*messages, *messages, *again]:
        device.mouth.say(message)
    device.verify(duplicates=500)


def test_late_and_unordered_reports_change_history_and_never_the_latest(platform: Platform, seed: int) -> None:
    """Across weeks, with properties that come and go, so that the newest value of each is in another report."""
    device = Device(platform)
    chance = random.Random(seed)
    start = now_us() // 1000 * 1000 - 20 * DAY * 1_000_000
    moments = chance.sample(range(20 * DAY * 1000), 400)
    for moment in moments:
        extra = {name: chance.random() for name in chance.sample(["a", "b", "c", "d"], chance.randrange(3))}
        device.mouth.say(device.message(start + moment * 1000, **extra))
    device.verify()
    rows = platform.readings(device.account)
    assert [row[1] for row in rows] == [entry.number for entry in sorted(device.journal.good, key=lambda entry: entry.at or 0)]


def written(at: int, unit: str) -> Any:
    match unit:
        case "s":
            return at // 1_000_000
        case "s with decimals":
            return at / 1_000_000
        case "ms":
            return at // 1000
        case "ms with decimals":
            return at / 1000
        case "µs":
            return at
        case "ns":
            return at * 1000
        case "ISO, UTC":
            return datetime.fromtimestamp(at / 1_000_000, UTC).isoformat().replace("+00:00", "Z")
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + "+00:00"


UNITS = {
    "s": 1_000_000,
    "s with decimals": 1000,
    "ms": 1000,
    "ms with decimals": 1,
    "µs": 1,
    "ns": 1,
    "ISO, UTC": 1,
    "ISO, offset": 1_000_000,
}


def test_every_unit_of_time_is_recognised(platform: Platform, seed: int) -> None:
    device = Device(platform)
    chance = random.Random(seed)
    for unit, step in UNITS.items():
        for _ in range(20):
            at = (now_us() - chance.randrange(3_000 * DAY) * 1_000_000 - chance.randrange(1_000_000)) // step * step
            device.mouth.say(device.message(at, written(at, unit)))
    device.verify()


@pytest.mark.parametrize("days", [0.9, pytest.param(-3_600, marks=pytest.mark.long)], ids=["nearly a day ahead", "nearly ten years back"])
def test_a_clock_that_is_off_is_kept_and_shown(platform: Platform, days: float, seed: int) -> None:
    device = Device(platform)
    off = random.Random(seed).uniform(0.9, 1) * days * DAY
    device.mouth.say(device.message((now_us() + int(off * 1_000_000)) // 1000 * 1000))
    device.verify()
    [(shown,)] = witness.ask(
        platform.services,
        "SELECT clock_offset FROM devices_devicepresence JOIN devices_device AS device ON device.id = device_id WHERE device.key = %s",
        [device.account.key],
    )
    assert abs(shown - off) < 60


@pytest.mark.long
@pytest.mark.parametrize("days", [1.5, -3_660], ids=["too far ahead", "too far back"])
def test_a_clock_that_is_off_beyond_the_bounds_is_a_dead_letter(platform: Platform, days: float, seed: int) -> None:
    device = Device(platform)
    device.mouth.say(Message(json.dumps({"ts": now_us() // 1000 + int(days * DAY * 1000), "values": {"n": 1}}).encode(), []))
    [letter] = eventually(lambda: platform.letters(device.account))
    assert letter["reason"] == "bad_timestamp"
    device.verify()
