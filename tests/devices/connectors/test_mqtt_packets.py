"""MQTT on the wire: whatever the pieces in which a stream arrives, what is read is what was sent."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.connectors import mqtt_packets as packets
from devices.connectors.mqtt_packets import Malformed, Message, read

TOPICS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
MESSAGES = st.builds(
    Message,
    topic=TOPICS,
    payload=st.binary(max_size=300),
    mid=st.one_of(st.just(b""), st.binary(min_size=2, max_size=2)),
    retained=st.booleans(),
)


def length(size: int) -> bytes:
    """The standard's own algorithm (2.2.3)."""
    encoded = b""
    while True:
        size, digit = divmod(size, 128)
        encoded += bytes([digit | (0x80 if size else 0)])
        if not size:
            return encoded


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + length(len(body)) + body


def publish(message: Message, dup: bool = False) -> bytes:
    """A PUBLISH as the standard spells it (3.3)."""
    topic = message.topic.encode()
    first = 0x30 | dup << 3 | bool(message.mid) << 1 | message.retained
    return packet(first, struct.pack("!H", len(topic)) + topic + message.mid + message.payload)


def read_in_pieces(stream: bytes, cuts: list[int]) -> tuple[list[Message], list[tuple[int, bytes]], bytes]:
    messages, others, rest, begin = [], [], b"", 0
    for end in [*sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]:
        piece = read(rest + stream[begin:end])
        messages += piece.messages
        others += piece.others
        rest, begin = (rest + stream[begin:end])[piece.end :], end
    return messages, others, rest


@given(st.lists(MESSAGES, max_size=30), st.lists(st.integers(0, 20_000), max_size=10), st.booleans())
def test_what_is_read_is_what_was_sent_however_it_is_cut(messages: list[Message], cuts: list[int], dup: bool) -> None:
    stream = b"".join(publish(message, dup) for message in messages)

    assert read_in_pieces(stream, cuts) == (messages, [], b"")


@given(st.lists(MESSAGES, max_size=5), st.binary(min_size=1, max_size=200))
def test_what_is_cut_off_waits_for_the_rest(messages: list[Message], payload: bytes) -> None:
    last = publish(Message("t", payload, b"\0\1", False))
    for cut in range(len(last)):
        found, _, rest = read_in_pieces(b"".join(map(publish, messages)) + last[:cut], [])
        assert (found, rest) == (messages, last[:cut])


@given(st.binary(max_size=400))
def test_no_bytes_make_it_fail_in_another_way_than_it_says(data: bytes) -> None:
    try:
        piece = read(data)
    except Malformed:
        return
    assert piece.end <= len(data)


def test_a_message_of_a_megabyte_and_other_packets_between() -> None:
    large = Message("devices/a/up/telemetry", bytes(1_048_576), b"\1\2", False)
    suback, pong = packet(packets.SUBACK, b"\0\1\1\x80"), b"\xd0\x00"
    found = read_in_pieces(suback + publish(large) + pong, list(range(0, 1_048_576, 65_536)))

    assert found == ([large], [(packets.SUBACK, b"\0\1\1\x80"), (0xD0, b"")], b"")


@pytest.mark.parametrize(
    "data",
    [
        b"\x32\x02\x00\x05",  # a topic longer than its packet
        b"\x32\x01\x00",  # no room for a topic at all
        b"\x32\x00",
        b"\x30\x00",
        b"\x32\x03\x00\x01a",  # QoS 1 without the number to acknowledge it with
        b"\x34\x05\x00\x01a\x00\x01",  # QoS 2, which nobody subscribed to
        b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
    ],
)
def test_what_is_no_mqtt_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(Malformed):
        read(data)


def test_a_topic_that_is_no_text_does_not_stop_the_others() -> None:
    bad = packet(0x30, b"\x00\x02\xff\xfe" + b"payload")
    good = Message("t", b"x", b"", False)

    assert read(bad + publish(good)).messages == [Message("��", b"payload", b"", False), good]


def test_acks_are_for_messages_that_want_one() -> None:
    assert packets.pubacks([b"\0\1", b"", b"\xff\xff"]) == b"\x40\x02\0\1\x40\x02\xff\xff"


@pytest.mark.parametrize(
    ("written", "packet"),
    [
        (packets.connect("me", "", "", 30), b"\x10\x0e\x00\x04MQTT\x04\x00\x00\x1e\x00\x02me"),
        (packets.connect("me", "ü", "p", 30), b"\x10\x15\x00\x04MQTT\x04\xc0\x00\x1e\x00\x02me\x00\x02\xc3\xbc\x00\x01p"),
        (packets.subscribe(258, ["a/+", "b"]), b"\x82\x0c\x01\x02\x00\x03a/+\x01\x00\x01b\x01"),
        (packets.unsubscribe(1, ["a/#"]), b"\xa2\x07\x00\x01\x00\x03a/#"),
    ],
)
def test_what_we_say_is_what_the_standard_says(written: bytes, packet: Any) -> None:
    assert written == packet


def test_a_long_subscription_has_a_length_of_several_bytes() -> None:
    topics = [f"tele/{number:060}/+/SENSOR" for number in range(300)]
    written = packets.subscribe(7, topics)

    assert read(written).others == [(packets.SUBSCRIBE, written[4:])]
