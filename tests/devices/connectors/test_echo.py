"""How far behind the worker is: what it says to itself comes back behind everything else, on a real broker too."""

import time
from collections.abc import Iterator

import pytest

from devices.connectors import echo as module
from devices.connectors.echo import Echo
from telemetry.uplink import service
from tests.devices.connectors.test_mqtt import Wire
from tests.services import Stack, eventually


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What time it is, in µs."""
    now = [1_000_000_000]
    monkeypatch.setattr(module, "arrival", lambda: now[0])
    return now


@pytest.fixture
def wire(stack: Stack) -> Iterator[Wire]:
    wire = Wire(stack)
    yield wire
    wire.close()


def test_the_lag_is_the_age_of_the_oldest_word_that_has_not_come_back(clock: list[int]) -> None:
    said: list[bytes] = []
    echo = Echo("w", said.append)
    assert echo.lag() is None  # nobody knows yet

    echo.say()
    echo.committed(echo.read(said[-1]))
    assert echo.lag() == 0

    echo.say()
    clock[0] += 3_000_000
    echo.say()
    assert echo.lag() == 3

    echo.committed(echo.read(said[1]))
    assert echo.lag() == 0  # the last one was said just now
    clock[0] += 500_000
    assert echo.lag() == 0.5

    echo.committed(echo.read(said[2]))
    assert echo.lag() == 0


def test_a_new_connection_waits_for_its_own_first_word(clock: list[int]) -> None:
    said: list[bytes] = []
    echo = Echo("w", said.append)
    echo.say()
    echo.committed(echo.read(said[-1]))
    echo.say()
    clock[0] += 60_000_000  # the broker was away, and with it the second word

    echo.say(afresh=True)
    clock[0] += 4_000_000
    assert echo.lag() == 4

    echo.committed(echo.read(said[1]))  # it comes again after all, and says nothing of what came since
    assert echo.lag() == 4


def test_a_broker_that_swallows_words_is_told_from_one_with_a_backlog(clock: list[int]) -> None:
    said: list[bytes] = []
    echo = Echo("w", said.append)
    echo.say()
    echo.committed(echo.read(said[-1]))
    echo.say()
    for _ in range(60):  # an hour in which the word has not come back, but always something else
        clock[0] += 60_000_000
        echo.heard(clock[0])
        echo.say()
    assert echo.lag() == 3600

    clock[0] += module.QUIET + 1
    assert echo.lag() is None  # nothing at all comes, so nothing is behind: nobody knows

    echo.committed(echo.read(said[-1]))  # allowed again
    assert echo.lag() == 0


def test_a_quiet_connection_on_which_words_come_back_is_not_behind(clock: list[int]) -> None:
    said: list[bytes] = []
    echo = Echo("w", said.append)
    for _ in range(3):
        clock[0] += 10 * module.QUIET
        echo.say()
        assert echo.lag() in (None, 0)
        echo.committed(echo.read(said[-1]))
        assert echo.lag() == 0


@pytest.mark.parametrize("payload", [b"", b"\0" * 24, b"x" * 23, b"x" * 10_000])
def test_nobody_elses_word_counts(payload: bytes) -> None:
    assert Echo("w", lambda _: None).read(payload) == 0
    other: list[bytes] = []
    Echo("w", other.append).say()
    assert Echo("w", lambda _: None).read(other[0]) == 0


def test_words_that_never_come_back_take_no_memory() -> None:
    echo = Echo("w", lambda _: None)
    for _ in range(module.MOST + 10):
        echo.say()

    assert len(echo._under_way) == module.MOST


def test_it_comes_back_behind_what_waits_and_is_no_message_of_a_device(wire: Wire) -> None:
    connector, desk = wire.open()
    desk.acknowledge()
    eventually(lambda: connector.lag() == 0)
    desk.parcels.clear()

    wire.say(b"1", b"2")
    connector.heal()
    eventually(lambda: any(getattr(ack, "echoed", 0) for _, ack in desk.parcels))
    time.sleep(0.01)
    assert connector.lag()  # neither they nor the word behind them are committed
    desk.acknowledge()

    assert connector.lag() == 0
    assert connector.figures()["lag_s"] == 0
    assert desk.payloads == [b"1", b"2"]


@pytest.mark.parametrize(
    ("queued", "lag", "behind"),
    [
        (0, None, False),
        (1, None, True),  # a broker that lets us not speak to ourselves: an empty queue is all there is to go by
        (5_000, 0.0, False),  # a busy platform that keeps up
        (5_000, 1.9, False),
        (0, 2.1, True),  # the broker keeps something
    ],
)
def test_who_keeps_up_hears_silence(queued: int, lag: float | None, behind: bool) -> None:
    assert service.is_behind({"queued": queued, "mqtt": {"lag_s": lag}}) is behind
