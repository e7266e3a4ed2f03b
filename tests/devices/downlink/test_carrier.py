"""The downlink's connection, with a broker that does as it is told."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from devices.connectors import mqtt_session
from devices.connectors.mqtt_packets import Message, read, text
from devices.downlink.carrier import Ack, Carrier, Fate
from tests.services import eventually

WELCOME = b"\x20\x06\x00\x00\x03\x21\x00\x14"


ME = "me"


class Broker:
    """Welcomes our session and nobody else who happens to try this port; `reasons` are those of its acknowledgements, in
    order (None: it says nothing)."""

    def __init__(self, welcome: bytes = WELCOME) -> None:
        self.welcome = welcome
        self.reasons: list[int | None] = []
        self.messages: list[Message] = []
        self.connections: list[socket.socket] = []
        self.server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        with suppress(OSError):  # closed: it is over
            while True:
                client, _ = self.server.accept()
                threading.Thread(target=self.meet, args=(client,), daemon=True).start()

    def meet(self, client: socket.socket) -> None:
        with suppress(OSError):
            if text(ME) in client.recv(4096):
                self.connections.append(client)
                client.sendall(self.welcome)
                self.talk(client)

    def talk(self, client: socket.socket) -> None:
        rest = b""
        while data := client.recv(65_536):
            piece = read(rest + data)
            rest = (rest + data)[piece.end :]
            if any(first == 0xE0 for first, _ in piece.others):  # goodbye
                client.close()
                return
            for message in piece.messages:
                self.messages.append(message)
                if (reason := self.reasons.pop(0) if self.reasons else 0) is not None:
                    client.sendall(b"\x40\x03" + message.mid + bytes([reason]) if reason else b"\x40\x02" + message.mid)

    def hang_up(self) -> None:
        self.connections[-1].shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        self.server.close()
        for each in self.connections:
            each.close()


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    monkeypatch.setattr(mqtt_session, "RETRY_FIRST", 0.02)
    made = Broker()
    yield made
    made.stop()


@pytest.fixture
def words() -> list[int]:
    return []


@pytest.fixture
def carrier(broker: Broker, words: list[int]) -> Iterator[Carrier]:
    found = Carrier(f"mqtt://127.0.0.1:{broker.server.getsockname()[1]}", ME, lambda: words.append(1))
    assert found.publish("early", "t", b"", 5) is Fate.REFUSED
    found.heal()
    found.heal()
    assert found.connected.wait(10)
    yield found
    found.stop()


def send(carrier: Carrier, *tokens: Any) -> None:
    for token in tokens:
        assert carrier.publish(token, f"devices/{token}/down", b"{}", 5) is None
    carrier.flush()


def fates(acks: list[Ack]) -> list[tuple[Any, Fate]]:
    return [(ack.token, ack.fate) for ack in acks]


def heard(carrier: Carrier, number: int) -> list[tuple[Any, Fate]]:
    found: list[Ack] = []

    def all_there() -> bool:
        found.extend(carrier.take())
        return len(found) >= number

    eventually(all_there)
    return fates(found)


def test_each_message_has_the_fate_that_the_broker_says(carrier: Carrier, broker: Broker) -> None:
    broker.reasons = [0, 0x10, 0x87]
    send(carrier, "a", "b", "c")

    assert heard(carrier, 3) == [("a", Fate.TAKEN), ("b", Fate.NOBODY), ("c", Fate.REFUSED)]
    assert not carrier.waits
    assert [message.topic for message in broker.messages] == [f"devices/{each}/down" for each in "abc"]


def test_only_what_cannot_wait_wakes_the_dispatcher(carrier: Carrier, broker: Broker, words: list[int]) -> None:
    words.clear()
    send(carrier, "a")
    heard(carrier, 1)
    assert words == []

    broker.reasons = [0x10]
    send(carrier, "b")
    heard(carrier, 1)
    assert words == [1]


def test_nothing_leaves_before_it_is_told_to(carrier: Carrier, broker: Broker) -> None:
    carrier.publish("a", "a", b"", 5)
    assert carrier.waits and broker.messages == []
    send(carrier, "b")

    assert heard(carrier, 2) == [("a", Fate.TAKEN), ("b", Fate.TAKEN)]


def test_what_was_not_acknowledged_is_unknown_and_never_sent_again_by_itself(carrier: Carrier, broker: Broker) -> None:
    broker.reasons = [0, None, None]
    send(carrier, "a", "b", "c")
    eventually(lambda: len(broker.messages) == 3)
    broker.hang_up()

    assert heard(carrier, 3) == [("a", Fate.TAKEN), ("b", Fate.UNKNOWN), ("c", Fate.UNKNOWN)]
    eventually(lambda: len(broker.connections) == 2 and carrier.connected.is_set())
    send(carrier, "d")
    assert heard(carrier, 1) == [("d", Fate.TAKEN)]
    assert [message.topic[8] for message in broker.messages] == ["a", "b", "c", "d"]


def test_what_a_lost_connection_left_is_unknown_even_where_nobody_looked_meanwhile(carrier: Carrier, broker: Broker) -> None:
    broker.reasons = [None]
    send(carrier, "a")
    carrier.publish("b", "devices/b/down", b"", 5)  # ready, and its connection goes
    eventually(lambda: len(broker.messages) == 1)
    broker.hang_up()
    eventually(lambda: len(broker.connections) == 2 and carrier.connected.is_set())
    send(carrier, "c")

    assert sorted(heard(carrier, 3)) == [("a", Fate.UNKNOWN), ("b", Fate.UNKNOWN), ("c", Fate.TAKEN)]
    assert [message.topic[8] for message in broker.messages] == ["a", "c"]


def test_a_broker_that_refuses_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_session, "RETRY_FIRST", 0.02)
    stern = Broker(welcome=b"\x20\x03\x00\x87\x00")
    carrier = Carrier(f"mqtt://127.0.0.1:{stern.server.getsockname()[1]}", "me", lambda: None)
    carrier.heal()
    eventually(lambda: len(stern.connections) >= 3)

    assert not carrier.connected.is_set()
    carrier.stop()
    stern.stop()
