"""The batcher: what is acknowledged, when, and what happens when something is slow, down or gone."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from devices.exceptions import Unavailable
from devices.messages import Uplink
from telemetry.uplink import batcher as module
from telemetry.uplink.batcher import Batcher

Put = Callable[[Batcher, int], "Ticket"]


class Ticket:
    """An ack that remembers being called."""

    def __init__(self) -> None:
        self.called = threading.Event()
        self.stale = False

    def __call__(self) -> None:
        self.called.set()


class Database:
    """A `process` that can be told to block or to be down."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()
        self.failures: list[Exception] = []

    def __call__(self, batch: Sequence[Uplink]) -> None:
        self.entered.set()
        self.open.wait(10)
        if self.failures:
            raise self.failures.pop()
        self.batches.append([uplink.payload for uplink in batch])


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def batcher(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Batcher]:
    monkeypatch.setattr(module, "RETRY_FIRST", 0.01)
    running = Batcher(database)
    running.start()
    yield running
    database.open.set()
    running.stop(2)


def put(batcher: Batcher, number: int) -> Ticket:
    ticket = Ticket()
    batcher.put([Uplink("t", str(number).encode(), number)], ticket)
    return ticket


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 5
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def test_a_single_message_is_a_batch_at_once(batcher: Batcher, database: Database) -> None:
    assert put(batcher, 1).called.wait(5)
    assert database.batches == [[b"1"]]


def test_what_waits_while_a_batch_is_written_is_the_next_batch_in_order(batcher: Batcher, database: Database) -> None:
    database.open.clear()
    tickets = [put(batcher, 0)]
    assert database.entered.wait(5)
    tickets += [put(batcher, number) for number in range(1, 101)]
    assert not any(ticket.called.is_set() for ticket in tickets)
    database.open.set()
    assert all(ticket.called.wait(5) for ticket in tickets)
    assert database.batches == [[b"0"], [str(number).encode() for number in range(1, 101)]]


def test_nothing_is_acknowledged_before_the_commit_and_retry_keeps_the_batch(batcher: Batcher, database: Database) -> None:
    database.failures = [Unavailable("down"), Unavailable("down"), RuntimeError("a fault of ours")]
    ticket = put(batcher, 1)
    assert ticket.called.wait(5)
    assert (database.batches, batcher.retries, batcher.last_error) == ([[b"1"]], 3, "")


def test_a_message_whose_connection_is_gone_is_left_to_come_again(batcher: Batcher, database: Database) -> None:
    database.open.clear()
    put(batcher, 0)
    assert database.entered.wait(5)
    stale, fresh = put(batcher, 1), put(batcher, 2)
    stale.stale = True
    database.open.set()
    assert fresh.called.wait(5)
    assert database.batches == [[b"0"], [b"2"]]
    assert batcher.stale == 1


def test_a_full_queue_blocks_the_sender_and_drops_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_MESSAGES", 5)
    batcher = Batcher(database)
    batcher.start()
    database.open.clear()
    put(batcher, 0)
    assert database.entered.wait(5)
    sender = threading.Thread(target=lambda: [put(batcher, number) for number in range(1, 21)])
    sender.start()
    assert until(lambda: batcher.figures()["queued"] == 5)
    sender.join(0.1)
    assert sender.is_alive()
    database.open.set()
    sender.join(5)
    assert until(lambda: sum(map(len, database.batches)) == 21)
    assert [int(payload) for batch in database.batches for payload in batch] == list(range(21))
    batcher.stop(2)


def test_a_batch_is_bounded_in_messages_and_in_bytes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_MESSAGES", 10)
    monkeypatch.setattr(module, "BATCH_BYTES", 4_000)
    batcher = Batcher(database)
    for number in range(25):
        put(batcher, number)
    batcher.put([Uplink("t", b"x" * 5_000, 0)], None)
    batcher.put([Uplink("t", b"y", 0)], None)
    batcher.start()
    assert until(lambda: sum(map(len, database.batches)) == 27)
    assert [len(batch) for batch in database.batches] == [10, 10, 6, 1]
    batcher.stop(2)


def test_what_came_together_stays_together_under_one_ack(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_MESSAGES", 4)
    batcher = Batcher(database)
    tickets = [Ticket() for _ in range(3)]
    for number, ticket in enumerate(tickets):
        batcher.put([Uplink("t", b"%d.%d" % (number, part), 0) for part in range(3)], ticket)
    assert (batcher.figures()["queued"], batcher.figures()["queued_bytes"]) == (9, 9 * (3 + module.OVERHEAD))
    batcher.start()
    assert all(ticket.called.wait(5) for ticket in tickets)
    assert database.batches == [[b"0.0", b"0.1", b"0.2", b"1.0", b"1.1", b"1.2"], [b"2.0", b"2.1", b"2.2"]]
    assert batcher.messages == 9
    batcher.stop(2)


def test_a_parcel_whose_connection_is_gone_is_left_whole(batcher: Batcher, database: Database) -> None:
    database.open.clear()
    put(batcher, 0)
    assert database.entered.wait(5)
    gone, fresh = Ticket(), Ticket()
    gone.stale = True
    batcher.put([Uplink("t", b"a", 0), Uplink("t", b"b", 0)], gone)
    batcher.put([Uplink("t", b"c", 0), Uplink("t", b"d", 0)], fresh)
    database.open.set()
    assert fresh.called.wait(5)
    assert (database.batches, batcher.stale, gone.called.is_set()) == ([[b"0"], [b"c", b"d"]], 2, False)


def test_stop_drains_what_is_queued(database: Database) -> None:
    batcher = Batcher(database)
    tickets = [put(batcher, number) for number in range(50)]
    batcher.start()
    assert batcher.stop(5)
    assert all(ticket.called.is_set() for ticket in tickets)
    assert batcher.figures()["queued"] == batcher.figures()["queued_bytes"] == 0


def test_stop_gives_up_on_a_database_that_stays_away_and_acknowledges_nothing(database: Database) -> None:
    database.failures = [Unavailable("down")] * 1000
    batcher = Batcher(database)
    batcher.start()
    ticket = put(batcher, 1)
    assert not batcher.stop(0.2)
    assert not ticket.called.is_set()
