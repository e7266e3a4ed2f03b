"""MQTT 5 of a publisher, on the wire."""

import pytest

from devices.connectors.mqtt_packets import MQTT_5, Malformed, connect, read
from devices.connectors.mqtt_publisher import LONGEST, _acks, publish


def test_it_signs_in_to_a_session_that_ends_with_its_connection() -> None:
    assert connect("me", "", "", 30, clean=True, level=MQTT_5) == b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x1e\x00\x00\x02me"
    assert connect("me", "ü", "p", 30, clean=True, level=MQTT_5)[8:].startswith(b"\x05\xc2\x00\x1e\x00\x00\x02me\x00\x02\xc3\xbc\x00\x01p")


@pytest.mark.parametrize(("seconds", "expiry"), [(-1, 1), (0.2, 1), (29.5, 30), (30, 30), (1e12, LONGEST)])
def test_a_message_says_how_long_it_is_worth_something(seconds: float, expiry: int) -> None:
    packet = publish(258, "a/ü", b"{}", seconds)

    assert packet == b"\x32\x10\x00\x04a/\xc3\xbc\x01\x02\x05\x02" + expiry.to_bytes(4) + b"{}"


@pytest.mark.parametrize(
    ("packet", "acks"),
    [
        (b"\x40\x02\x01\x02", [(258, 0)]),
        (b"\x40\x03\x01\x02\x10", [(258, 0x10)]),
        (b"\x40\x04\x01\x02\x87\x00", [(258, 0x87)]),
        (b"\xd0\x00\x40\x02\x00\x01\x40\x02\x00\x02\xe0\x00", [(1, 0), (2, 0)]),
    ],
)
def test_the_brokers_acknowledgements_are_read_with_their_reasons(packet: bytes, acks: list[tuple[int, int]]) -> None:
    assert list(_acks(read(packet).others)) == acks


def test_an_acknowledgement_of_nothing_is_nonsense() -> None:
    with pytest.raises(Malformed):
        list(_acks([(0x40, b"\x01")]))
