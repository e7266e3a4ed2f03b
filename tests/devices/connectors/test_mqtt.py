"""The MQTT connector on a real broker: nothing is forgotten before its ack, and nothing is acknowledged on the wrong connection."""

import socket
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from devices.connectors import mqtt_packets, mqtt_session
from devices.connectors.base import Delivery
from devices.connectors.mqtt import MqttConnector
from devices.connectors.mqtt_packets import read
from devices.messages import Uplink
from tests.services import Stack, eventually


class Desk:
    """Takes what a connector emits, and acknowledges when it is told to."""

    def __init__(self) -> None:
        self.parcels: list[tuple[Sequence[Uplink], Delivery | None]] = []

    def __call__(self, uplinks: Sequence[Uplink], ack: Delivery | None) -> None:
        self.parcels.append((uplinks, ack))

    @property
    def payloads(self) -> list[bytes]:
        return [uplink.payload for uplinks, _ in self.parcels for uplink in uplinks if uplink.source == "mqtt"]

    def acknowledge(self) -> None:
        for _, ack in self.parcels:
            if ack:
                ack()


class Wire:
    """A connector and its desk; `topic` is nobody else's."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.topic = f"tele/{uuid.uuid4().hex}/SENSOR"
        self.client_id = f"iotpanel-test-{uuid.uuid4().hex}"
        self.connectors: list[MqttConnector] = []
        worker = urlsplit(stack.mqtt_url)
        self.publisher = paho.Client(CallbackAPIVersion.VERSION2)
        self.publisher.username_pw_set(unquote(worker.username or ""), unquote(worker.password or ""))
        self.publisher.connect(worker.hostname or "", worker.port or 1883)
        self.publisher.loop_start()

    def open(self, **settings: str) -> tuple[MqttConnector, Desk]:
        desk = Desk()
        connector = MqttConnector({"url": self.stack.mqtt_url, "client_id": self.client_id, **settings}, desk)
        connector.subscribe([self.topic])
        connector.start()
        self.connectors.append(connector)
        eventually(connector.connected.is_set)
        time.sleep(0.2)  # until the broker has the subscription
        return connector, desk

    def say(self, *payloads: bytes, qos: int = 1, retain: bool = False) -> None:
        for info in [self.publisher.publish(self.topic, payload, qos, retain) for payload in payloads]:
            info.wait_for_publish(5)

    def close(self) -> None:
        for connector in self.connectors:
            connector.stop()
        self.publisher.publish(self.topic, b"", 1, retain=True).wait_for_publish(5)
        self.publisher.disconnect()
        self.publisher.loop_stop()


@pytest.fixture
def wire(stack: Stack) -> Iterator[Wire]:
    wire = Wire(stack)
    yield wire
    wire.close()


def test_what_is_acknowledged_does_not_come_again_and_what_is_not_does(wire: Wire) -> None:
    connector, desk = wire.open()
    wire.say(*(b"%d" % number for number in range(300)))
    eventually(lambda: len(desk.payloads) == 300)
    desk.acknowledge()
    wire.say(b"unacknowledged")
    eventually(lambda: len(desk.payloads) == 301)
    connector.stop()
    _, again = wire.open()
    eventually(lambda: again.payloads)

    assert desk.payloads[:300] == [b"%d" % number for number in range(300)]
    assert again.payloads == [b"unacknowledged"]


def test_what_is_said_meanwhile_waits_in_the_broker(wire: Wire) -> None:
    connector, _ = wire.open()
    connector.stop()
    wire.say(b"1", b"2", b"3")
    _, desk = wire.open()

    assert eventually(lambda: len(desk.payloads) == 3 and desk.payloads) == [b"1", b"2", b"3"]


def test_a_lost_connection_is_made_again_and_an_ack_of_the_old_one_is_worth_nothing(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_session, "RETRY_FIRST", 0.1)
    connector, desk = wire.open()
    wire.say(b"1", b"2")
    eventually(lambda: len(desk.payloads) == 2)
    old = [ack for _, ack in desk.parcels if ack]
    assert not any(ack.stale for ack in old)
    other, _ = wire.open()  # the same client id: the broker ends the first connection
    eventually(lambda: connector.connection == 0 or connector.connections > 1)
    other.stop()
    eventually(lambda: connector.connected.is_set() and len(desk.payloads) >= 4, 30)

    assert all(ack.stale for ack in old)
    for ack in old:
        ack()
    connector.stop()
    _, again = wire.open()
    assert eventually(lambda: len(again.payloads) == 2 and again.payloads) == [b"1", b"2"]


def test_holding_it_takes_nothing_but_sends_the_acks_that_wait(wire: Wire) -> None:
    connector, desk = wire.open()
    wire.say(b"1")
    eventually(lambda: desk.payloads)
    connector.hold()
    wire.say(b"2")
    time.sleep(0.3)
    desk.acknowledge()
    connector.stop()
    _, again = wire.open()
    eventually(lambda: again.payloads)

    assert (desk.payloads, again.payloads) == ([b"1"], [b"2"])


def test_messages_of_qos_0_have_no_ack_and_keep_their_place(wire: Wire) -> None:
    _, desk = wire.open()
    for number in range(10):
        wire.say(b"%d" % number, qos=number % 2)
    eventually(lambda: len(desk.payloads) == 10)

    assert desk.payloads == [b"%d" % number for number in range(10)]
    for uplinks, ack in desk.parcels:
        assert {int(uplink.payload) % 2 for uplink in uplinks if uplink.source == "mqtt"} <= {int(ack is not None)}


def test_copies_that_the_broker_retained_are_acknowledged_and_not_taken(wire: Wire) -> None:
    wire.say(b"old", retain=True)
    connector, desk = wire.open()
    eventually(lambda: connector.retained == 1)
    wire.say(b"new")
    eventually(lambda: desk.payloads)

    assert desk.payloads == [b"new"]


def test_times_of_arrival_are_distinct_and_in_order(wire: Wire) -> None:
    _, desk = wire.open()
    wire.say(*[b"x"] * 500)
    eventually(lambda: len(desk.payloads) == 500)
    times = [uplink.received_at for uplinks, _ in desk.parcels for uplink in uplinks]

    assert times == sorted(set(times))


def test_a_payload_of_a_megabyte_arrives_whole(wire: Wire) -> None:
    _, desk = wire.open()
    payload = bytes(range(256)) * 4096
    wire.say(b"before", payload, b"after")
    eventually(lambda: len(desk.payloads) == 3)

    assert desk.payloads == [b"before", payload, b"after"]


def test_a_group_of_workers_shares_the_messages_and_each_goes_to_one(wire: Wire) -> None:
    group = uuid.uuid4().hex
    desks = [wire.open(client_id=f"{wire.client_id}-{number}", share=group)[1] for number in range(2)]
    said = [b"%d" % number for number in range(40)]
    wire.say(*said)
    eventually(lambda: sum(len(desk.payloads) for desk in desks) == 40)

    assert sorted(payload for desk in desks for payload in desk.payloads) == sorted(said)
    assert all(desk.payloads for desk in desks)


def test_topics_that_are_no_longer_wanted_are_left(wire: Wire) -> None:
    connector, desk = wire.open()
    connector.subscribe([])
    time.sleep(0.2)
    wire.say(b"to nobody")
    connector.subscribe([wire.topic])
    time.sleep(0.2)
    wire.say(b"to us")
    eventually(lambda: desk.payloads)

    assert desk.payloads == [b"to us"]


def test_a_wrong_password_is_refused_and_tried_again(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_session, "RETRY_FIRST", 0.05)
    worker = urlsplit(wire.stack.mqtt_url)
    desk = Desk()
    connector = MqttConnector({"url": f"mqtt://{worker.username}:wrong@{worker.hostname}:{worker.port}", "client_id": wire.client_id}, desk)
    connector.start()
    time.sleep(0.5)

    assert connector.session.alive
    assert not connector.connected.is_set()
    connector.stop()


# --- A broker that misbehaves ------------------------------------------------------------------------------------


class Impostor:
    """Says what it is told to whoever signs in, and remembers what it heard."""

    def __init__(self, answer: bytes) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.answer = answer
        self.heard: list[bytes] = []
        self.open = True
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while self.open:
            client, _ = self.server.accept()
            with client:
                self.heard.append(client.recv(4096))
                client.sendall(self.answer)
                client.settimeout(2)
                try:
                    while data := client.recv(4096):
                        self.heard.append(data)
                except TimeoutError:
                    pass

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.server.getsockname()[1]}"


@pytest.mark.parametrize("answer", [b"\x20\x02\x00\x00\x32\x02\x00\x05", b"HTTP/1.1 400 Bad Request\r\n", b"", b"\x20\x02\x00\x05"])
def test_nonsense_costs_a_connection_and_never_the_thread(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_session, "RETRY_FIRST", 0.02)
    monkeypatch.setattr(mqtt_session, "RETRY_LAST", 0.02)
    impostor = Impostor(answer)
    connector = MqttConnector({"url": impostor.url, "client_id": "me"}, Desk())
    connector.start()
    eventually(lambda: sum(heard[:1] == b"\x10" for heard in impostor.heard) >= 3)

    assert connector.session.alive
    connector.stop()


def test_a_silent_connection_is_pinged_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_session, "KEEPALIVE", 0.4)
    monkeypatch.setattr(mqtt_packets, "connect", lambda *_: b"\x10\x00")
    impostor = Impostor(b"\x20\x02\x00\x00")
    connector = MqttConnector({"url": impostor.url, "client_id": "me"}, Desk())
    connector.start()
    eventually(lambda: any(b"\xc0\x00" in heard for heard in impostor.heard))
    eventually(lambda: not connector.connected.is_set() and connector.connections >= 1)
    connector.stop()

    assert read(impostor.heard[1]).others[0][0] == 0x82


def test_a_fault_of_ours_costs_a_connection_and_the_message_comes_again(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_session, "RETRY_FIRST", 0.1)
    connector, desk = wire.open()
    faults = [RuntimeError("a fault of ours")]

    def emit(uplinks: Sequence[Uplink], ack: Delivery | None) -> None:
        if ack and faults:
            raise faults.pop()
        desk(uplinks, ack)

    connector.emit = emit
    wire.say(b"1")

    assert eventually(lambda: desk.payloads) == [b"1"]
    assert connector.session.alive
