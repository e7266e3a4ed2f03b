"""The downlink's own connection to the broker: QoS 1, MQTT 5, and nothing that it sends by itself a second time.

When the connection is lost, what was not acknowledged stays open: whether to send it again is for the dispatcher to
say. What is published in one turn leaves in one piece, and what the broker says comes in pieces too.
"""

import enum
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import structlog

from devices.connectors import mqtt_publisher
from devices.connectors.mqtt_publisher import FAILURE, NOBODY, Ears, MqttPublisher

IN_FLIGHT = 10_000  # messages that the broker has not acknowledged yet
MIDS = 65_535
log = structlog.get_logger(__name__)


class Fate(enum.Enum):
    """What became of a message: the broker has it, it reached nobody, the broker refused it, or nobody can know."""

    TAKEN = "taken"
    NOBODY = "nobody"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Ack(NamedTuple):
    """`at` is when we heard of it, in monotonic seconds."""

    token: Any
    fate: Fate
    at: float


class Carrier(Ears):
    """Publishes for one thread; `on_word` is called by another one when there is something in `take` that cannot wait."""

    def __init__(self, url: str, client_id: str, on_word: Callable[[], Any]) -> None:
        self.on_word = on_word
        self.connected = threading.Event()
        self._session = MqttPublisher(urlsplit(url), client_id, self)
        self._begun = False
        self._connection = 0  # 0 is none
        self._mid = 0
        self._open: dict[int, Any] = {}
        self._opened_on = 0  # the connection of all that is open
        self._lost: list[Any] = []
        self._leaving: list[bytes] = []
        self._words: deque[tuple[int, float, Sequence[mqtt_publisher.Ack]]] = deque()

    @property
    def room(self) -> int:
        """How many messages may go before some are acknowledged."""
        return IN_FLIGHT - len(self._open)

    @property
    def waits(self) -> bool:
        """Whether there is something that the broker has not acknowledged, or that `take` has not told."""
        return bool(self._open or self._lost)

    def heal(self) -> None:
        """Connect, where we do not yet; the session itself connects again."""
        if not self._begun:
            self._begun = True
            self._session.start()

    def stop(self) -> None:
        """End the connection; what it has not acknowledged is UNKNOWN."""
        self._session.stop()

    def publish(self, token: Any, topic: str, payload: bytes, seconds: float) -> Fate | None:
        """Have a message that is worthless after so many seconds ready for `flush`; None where its fate will be in `take`."""
        connection = self._connection
        if not connection:
            return Fate.REFUSED
        self._forsake(connection)
        self._mid = self._free_mid()
        self._leaving.append(mqtt_publisher.publish(self._mid, topic, payload, seconds))
        self._open[self._mid] = token
        return None

    def flush(self) -> None:
        """Send what is ready."""
        leaving, self._leaving = self._leaving, []
        if leaving:
            self._session.send(b"".join(leaving), self._opened_on)

    def take(self) -> list[Ack]:
        """What became of messages since the last call. For the publishing thread."""
        acks = []
        connection = self._connection  # before the words: none of a later connection is lost
        while self._words:
            spoken_on, at, words = self._words.popleft()
            if spoken_on == self._opened_on:
                acks += [Ack(self._open.pop(mid), _fate(code), at) for mid, code in words if mid in self._open]
        if connection != self._opened_on:
            self._forsake(connection)
        lost, self._lost = self._lost, []
        return acks + [Ack(token, Fate.UNKNOWN, time.monotonic()) for token in lost]

    def opened(self, connection: int) -> None:
        self._connection = connection
        self.connected.set()
        self.on_word()

    def closed(self, reason: str) -> None:
        self._connection = 0
        self.connected.clear()
        log.info("downlink_disconnected", reason=reason)
        self.on_word()

    def acknowledged(self, connection: int, acks: Sequence[mqtt_publisher.Ack]) -> None:
        self._words.append((connection, time.monotonic(), acks))
        if any(code for _, code in acks):
            self.on_word()

    def _forsake(self, connection: int) -> None:
        """What is open belongs to a connection that is gone, unless it is this one."""
        if connection != self._opened_on:
            self._lost += self._open.values()
            self._open.clear()
            self._leaving.clear()
            self._opened_on = connection

    def _free_mid(self) -> int:
        mid = self._mid % MIDS + 1
        while mid in self._open:
            mid = mid % MIDS + 1
        return mid


def _fate(code: int) -> Fate:
    return Fate.NOBODY if code == NOBODY else Fate.REFUSED if code >= FAILURE else Fate.TAKEN
