"""MQTT: one persistent session on the broker's workers' listener, acknowledged by hand.

The session is persistent and every subscription is QoS 1, so what arrives while nobody is connected waits in the
broker, and what was not acknowledged comes again. What is read in one piece is handed over and acknowledged as one.
"""

import threading
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

import structlog

from devices.messages import Uplink
from devices.topics import RESERVED_PREFIX, SUBSCRIPTION, up
from iotpanel import metrics

from . import mqtt_log
from .base import Emit
from .clock import arrivals
from .echo import Echo
from .mqtt_packets import Message, pubacks
from .mqtt_session import MqttSession

log = structlog.get_logger(__name__)


class Ack:
    """Acknowledges messages on the connection that they came on; afterwards the broker would not know them."""

    __slots__ = ("_acks", "_connection", "_connector", "echoed")

    def __init__(self, connector: "MqttConnector", connection: int, messages: Sequence[Message]) -> None:
        self._connector, self._connection = connector, connection
        self._acks = pubacks([message.mid for message in messages])
        self.echoed = connector.echoed(messages)

    def __call__(self) -> None:
        self._connector.session.send(self._acks, self._connection)
        if self.echoed:
            self._connector.echo.committed(self.echoed)

    @property
    def stale(self) -> bool:
        return self._connector.connection != self._connection


class MqttConnector:
    """The subscriber of one broker. `connection` is the number of the connection that lasts, 0 where there is none."""

    SETTINGS = {
        "type": "object",
        "required": ["url"],
        "properties": {
            "url": {"type": "string", "pattern": r"^mqtts?://", "description": "mqtt://user:password@host:port of the workers' listener"},
            "client_id": {"type": "string", "description": "name of the persistent session; one per worker"},
            "share": {"type": "string", "pattern": r"^[^/+#]*$", "description": "group among whose workers the broker deals messages out"},
        },
        "additionalProperties": False,
    }

    def __init__(self, settings: dict[str, Any], emit: Emit) -> None:
        self.url = urlsplit(settings["url"])
        self.client_id = settings.get("client_id", f"{RESERVED_PREFIX}uplink")
        self.share = settings.get("share", "")
        self.emit = emit
        self.connection = self.connections = 0
        self.connected = threading.Event()
        self.echo = Echo(self.client_id, lambda word: self.session.publish(self.echo.topic, word, self.connection))
        self.own = {mqtt_log.TOPIC, self.echo.topic}  # for each worker by itself, also in a group
        self.topics: set[str] = {SUBSCRIPTION, *self.own}
        self.holding = False
        self.retained = 0
        self.session = MqttSession(self.url, self.client_id, self)

    def start(self) -> None:
        """Connect in the background; the session tries again by itself, at most ten seconds apart."""
        self.session.start()

    def hold(self) -> None:
        """Take nothing more. What comes now is not acknowledged, so it comes again."""
        self.holding = True

    def stop(self) -> None:
        """Send the acks that wait, then disconnect; the session stays in the broker."""
        self.holding = True
        self.session.stop()
        self.connected.clear()

    def subscribe(self, topics: Iterable[str]) -> None:
        """The native topics and these."""
        wanted = {SUBSCRIPTION, *self.own, *topics}
        added, gone, self.topics = wanted - self.topics, self.topics - wanted, wanted
        if self.connected.is_set():
            self.session.subscribe(self._filters(added), self.connection)
            self.session.unsubscribe(self._filters(gone), self.connection)

    def _filters(self, topics: Iterable[str]) -> list[str]:
        """How to subscribe to these: in a group, each message goes to one of its workers, but for those that each needs by itself."""
        return sorted(f"$share/{self.share}/{topic}" if self.share and topic not in self.own else topic for topic in topics)

    def heal(self) -> None:
        """A thread that ended all the same is begun anew."""
        if not self.holding and not self.session.alive:
            log.error("mqtt_thread_died")
            self.closed("the thread died")
            self.session = MqttSession(self.url, self.client_id, self)
            self.start()
        if self.connected.is_set():
            self.echo.say()

    def lag(self) -> float | None:
        """See Connector.lag."""
        return self.echo.lag()

    def figures(self) -> dict[str, Any]:
        return {
            "connected": self.connected.is_set(),
            "connections": self.connections,
            "topics": sorted(self.topics),
            "retained": self.retained,
            "lag_s": self.lag(),
        }

    # --- What the session says, on its own thread ---------------------------------------------------------------

    def opened(self, connection: int) -> None:
        self.connection = connection
        self.connections += 1
        metrics.BROKER_CONNECTS.labels("mqtt").inc()
        log.info("mqtt_connected", host=self.url.hostname, port=self.url.port)
        self.session.subscribe(self._filters(self.topics), connection)
        self.echo.say(afresh=True)
        self.connected.set()

    def closed(self, reason: str) -> None:
        self.connection = 0
        self.connected.clear()
        if not self.holding:
            log.warning("mqtt_disconnected", reason=reason)

    def subscribed(self, refused: int) -> None:
        if refused:
            log.error("mqtt_subscription_refused", refused=refused, topics=sorted(self.topics))

    def received(self, connection: int, messages: Sequence[Message]) -> None:
        """Emit messages in order, those of QoS 1 under one ack; those of QoS 0 would not come again, and have none."""
        if self.holding:
            return
        at = arrivals(len(messages))
        self.echo.heard(at)
        for acknowledged, run in groupby(messages, lambda message: bool(message.mid)):
            some = list(run)
            uplinks = self._uplinks(some, at)
            at += len(some)
            ack = Ack(self, connection, some) if acknowledged else None
            if uplinks or (ack and ack.echoed):
                self.emit(uplinks, ack)
            elif ack:
                ack()

    def echoed(self, messages: Sequence[Message]) -> int:
        """When the last of our own words among these was said; 0 where there is none."""
        return max((self.echo.read(payload) for topic, payload, _, _ in messages if topic == self.echo.topic), default=0)

    def _uplinks(self, messages: Sequence[Message], first: int) -> list[Uplink]:
        uplinks, own = [], self.echo.topic
        for at, (topic, payload, _, retained) in enumerate(messages, first):
            if retained or topic.startswith("$") or topic == own:
                uplinks += self._other(topic, payload, retained, at)
            else:
                uplinks.append(Uplink(topic, payload, at))
        return uplinks

    def _other(self, topic: str, payload: bytes, retained: bool, at: int) -> list[Uplink]:
        """The broker's word on a device. Copies that it retained are old news that were taken when they were new."""
        word = mqtt_log.read(payload) if topic == mqtt_log.TOPIC else None
        if word:
            return [Uplink(up(word[0], "status"), word[1], at, "broker")]
        self.retained += retained
        return []
