"""An MQTT 5 session that only publishes: clean, QoS 1, and nothing that it sends by itself a second time.

MQTT 5, because its acknowledgement says whether anybody subscribes to the topic. Numbers in brackets are sections of the standard
(OASIS, MQTT 5.0).
"""

import socket
import struct
from collections.abc import Iterable, Sequence
from typing import Protocol
from urllib.parse import SplitResult, unquote

from . import mqtt_packets as packets
from . import mqtt_session
from .mqtt_packets import Message
from .mqtt_session import KEEPALIVE, PIECE, Listener, MqttSession, Refused

FAILURE = 0x80  # reason codes from here on are refusals (2.4)
NOBODY = 0x10  # no matching subscribers
LONGEST = 0xFFFFFFFF  # seconds that a message may live
Ack = tuple[int, int]
"""A message's number, and the broker's reason code."""


class Ears(Listener, Protocol):
    """Who uses the session, to be inherited from; called on its thread."""

    def acknowledged(self, connection: int, acks: Sequence[Ack]) -> None: ...

    def received(self, connection: int, messages: Sequence[Message]) -> None:
        """Nobody sends us any: we subscribe to nothing."""
        return

    def subscribed(self, refused: int) -> None:
        """Nor is there anything to refuse."""
        return


class MqttPublisher(MqttSession):
    """`send` takes whole packets, as `publish` makes them: as many as there are, they leave in one piece."""

    def __init__(self, url: SplitResult, client_id: str, ears: Ears) -> None:
        super().__init__(url, client_id, ears)
        self._ears = ears
        self._retry_last = mqtt_session.RETRY_FIRST  # somebody waits

    def _sign_in(self, sock: socket.socket) -> bytes:
        user, password = unquote(self._url.username or ""), unquote(self._url.password or "")
        sock.sendall(packets.connect(self._client_id, user, password, KEEPALIVE, clean=True, level=packets.MQTT_5))
        data = b""
        while not (piece := packets.read(data)).others:
            if not (more := sock.recv(PIECE)):
                raise Refused("closed while signing in")
            data += more
        first, body = piece.others[0]
        if first != packets.CONNACK or len(body) < 2 or body[1] >= FAILURE:
            raise Refused(f"answer {data[:5].hex()}")
        self._welcomed()
        return data[piece.end :]

    def _take(self, data: bytes) -> bytes:
        piece = packets.read(data)
        if acks := list(_acks(piece.others)):
            self._ears.acknowledged(self._number, acks)
        return data[piece.end :]


def _acks(others: Iterable[tuple[int, bytes]]) -> Iterable[Ack]:
    """The acknowledgements among these packets (3.4); one without a reason is a success. Raises Malformed."""
    for first, body in others:
        if first == packets.PUBACK:
            if len(body) < 2:
                raise packets.Malformed(f"a PUBACK of {len(body)} bytes")
            yield body[0] << 8 | body[1], body[2] if len(body) > 2 else 0


def publish(mid: int, topic: str, payload: bytes, seconds: float) -> bytes:
    """A message at QoS 1 that the broker forgets after so many seconds (3.3, property 2)."""
    expiry = max(1, min(int(seconds + 0.999), LONGEST))
    return packets.packet(packets.PUBLISH | 0x02, packets.text(topic) + struct.pack("!HBBI", mid, 5, 2, expiry) + payload)
