"""MQTT 3.1.1 on the wire, as far as a subscriber needs it: bytes in, packets out, and back. Pure Python.

Written for pieces of a stream that hold hundreds of messages: one pass, no object per field. Numbers in brackets are
sections of the standard (OASIS, MQTT 3.1.1).
"""

import struct
from collections.abc import Iterable
from typing import NamedTuple

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, UNSUBSCRIBE = 0x10, 0x20, 0x30, 0x40, 0x82, 0x90, 0xA2
PINGREQ, DISCONNECT = b"\xc0\x00", b"\xe0\x00"
MQTT_3_1_1, MQTT_5 = 4, 5  # levels of the protocol
RETAIN, QOS = 0x01, 0x06
REFUSED = 0x80
CONNACK_REASONS = {
    1: "unacceptable protocol version",
    2: "client identifier rejected",
    3: "server unavailable",
    4: "bad user name or password",
    5: "not authorized",
}


class Malformed(Exception):
    """The other side does not speak MQTT 3.1.1 to a subscriber of QoS 1; only a new connection helps."""


class Message(NamedTuple):
    """A PUBLISH. `mid` is the two bytes to acknowledge it with, empty at QoS 0."""

    topic: str
    payload: bytes
    mid: bytes
    retained: bool


class Piece(NamedTuple):
    """What a piece of the stream holds: messages in order, other packets as (first byte, body), and where the next one begins."""

    messages: list[Message]
    others: list[tuple[int, bytes]]
    end: int


def read(data: bytes) -> Piece:
    """All whole packets at the front of `data`. Raises Malformed."""
    messages: list[Message] = []
    others: list[tuple[int, bytes]] = []
    place, size = 0, len(data)
    new = tuple.__new__  # a named tuple's own constructor costs as much as the rest of the loop
    while place + 2 <= size:
        first, length, body = data[place], data[place + 1], place + 2
        if length > 127:
            if (found := _long(data, place + 1)) is None:
                break
            length, body = found
        end = body + length
        if end > size:
            break
        if first & 0xF0 == PUBLISH:
            topic = body + 2 + (data[body] << 8 | data[body + 1]) if length > 1 else end + 1
            payload = topic + 2 if first & QOS else topic
            if payload > end or first & QOS > 2:
                raise Malformed(f"a PUBLISH of {length} bytes, first byte {first:#x}")
            name = data[body + 2 : topic].decode("utf-8", "replace")
            messages.append(new(Message, (name, data[payload:end], data[topic:payload], bool(first & RETAIN))))
        else:
            others.append((first, data[body:end]))
        place = end
    return Piece(messages, others, place)


def _long(data: bytes, place: int) -> tuple[int, int] | None:
    """A remaining length of several bytes (2.2.3) and where the body begins; None where it is cut off."""
    length = 0
    for digit in range(4):
        if place + digit >= len(data):
            return None
        byte = data[place + digit]
        length |= (byte & 127) << 7 * digit
        if byte < 128:
            return length, place + digit + 1
    raise Malformed("a remaining length of more than four bytes")


def pubacks(mids: Iterable[bytes]) -> bytes:
    """The acknowledgements of these messages (3.4); those of QoS 0 take none."""
    return b"".join([b"\x40\x02" + mid for mid in mids if mid])


def connect(client_id: str, user: str, password: str, keepalive: int, *, clean: bool = False, level: int = MQTT_3_1_1) -> bytes:
    """Sign in to a session that outlives its connection, or with `clean` to one that does not, forgetting the old (3.1)."""
    flags = (0xC0 if user else 0) | (0x02 if clean else 0)
    names = [client_id, user, password] if user else [client_id]
    head = text("MQTT") + struct.pack("!BBH", level, flags, keepalive) + (b"\0" if level == MQTT_5 else b"")  # no properties
    return packet(CONNECT, head + b"".join(map(text, names)))


def subscribe(mid: int, topics: Iterable[str]) -> bytes:
    """Subscribe at QoS 1 (3.8)."""
    return packet(SUBSCRIBE, struct.pack("!H", mid) + b"".join(text(topic) + b"\x01" for topic in topics))


def unsubscribe(mid: int, topics: Iterable[str]) -> bytes:
    """No longer these (3.10)."""
    return packet(UNSUBSCRIBE, struct.pack("!H", mid) + b"".join(map(text, topics)))


def publish(mid: int, topic: str, payload: bytes) -> bytes:
    """A message at QoS 1 (3.3)."""
    return packet(PUBLISH | 0x02, text(topic) + struct.pack("!H", mid) + payload)


def packet(first: int, body: bytes) -> bytes:
    """A packet of any kind (2.2)."""
    length, digits = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (128 if length else 0))
        if not length:
            return bytes([first]) + bytes(digits) + body


def text(value: str) -> bytes:
    """A string with its length (1.5.3)."""
    data = value.encode()
    return struct.pack("!H", len(data)) + data
