"""MQTT: one persistent session on the broker's workers' listener, acknowledged by hand.

The session is persistent and every subscription is QoS 1, so what arrives while nobody is connected waits in the
broker, and what was not acknowledged comes again. MQTT 3.1.1, because in paho it costs half of 5.
"""

import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from devices.messages import Uplink
from devices.topics import RESERVED_PREFIX, SUBSCRIPTION, up
from iotpanel import metrics

from . import mqtt_log
from .base import Emit
from .clock import arrival

KEEPALIVE = 30  # seconds
GOODBYE = 1.0  # seconds that the broker has to answer before we leave
NOTHING = f"{RESERVED_PREFIX}nothing"  # a topic that nobody subscribes to
log = structlog.get_logger(__name__)


class Ack:
    """Acknowledges one message on the connection that it came on; afterwards the broker would not know it."""

    __slots__ = ("_connector", "_generation", "_mid")

    def __init__(self, connector: "MqttConnector", generation: int, mid: int) -> None:
        self._connector, self._generation, self._mid = connector, generation, mid

    def __call__(self) -> None:
        if not self.stale:
            self._connector.client.ack(self._mid, 1)

    @property
    def stale(self) -> bool:
        return self._connector.generation != self._generation


class MqttConnector:
    """The subscriber of one broker. `generation` counts connections: an ack belongs to the one its message came on."""

    SETTINGS = {
        "type": "object",
        "required": ["url"],
        "properties": {
            "url": {"type": "string", "pattern": r"^mqtts?://", "description": "mqtt://user:password@host:port of the workers' listener"},
            "client_id": {"type": "string", "description": "name of the persistent session; one per worker"},
        },
        "additionalProperties": False,
    }

    def __init__(self, settings: dict[str, Any], emit: Emit) -> None:
        self.url = urlsplit(settings["url"])
        self.client_id = settings.get("client_id", f"{RESERVED_PREFIX}uplink")
        self.emit = emit
        self.generation = 0
        self.connected = threading.Event()
        self._answered = threading.Event()
        self.topics: set[str] = {SUBSCRIPTION, mqtt_log.TOPIC}
        self.holding = False
        self.retained = 0
        self.client = self._make_client()

    def start(self) -> None:
        """Connect in the background; paho tries again by itself, at most ten seconds apart."""
        self.client.connect_async(self.url.hostname or "127.0.0.1", self.url.port or 1883, KEEPALIVE)
        self.client.loop_start()

    def hold(self) -> None:
        """Take nothing more. What comes now is not acknowledged, so it comes again."""
        self.holding = True

    def stop(self) -> None:
        """Wait until the broker has the acks, then disconnect; the session stays in the broker."""
        self.holding = True
        self._await_answer()
        self.client.disconnect()
        self.client.loop_stop()
        self.connected.clear()

    def subscribe(self, topics: Iterable[str]) -> None:
        """The native topics and these."""
        wanted = {SUBSCRIPTION, mqtt_log.TOPIC, *topics}
        added, gone, self.topics = wanted - self.topics, self.topics - wanted, wanted
        if self.connected.is_set():
            self._subscribe(added)
            if gone:
                self.client.unsubscribe(sorted(gone))

    def heal(self) -> None:
        """An exception in a callback ends paho's thread without a word; begin anew then."""
        thread = self.client._thread
        if not self.holding and thread is not None and not thread.is_alive():
            log.error("mqtt_thread_died")
            self.generation += 1
            self.connected.clear()
            self.client = self._make_client()
            self.start()

    def figures(self) -> dict[str, Any]:
        return {
            "connected": self.connected.is_set(),
            "connections": self.generation,
            "topics": sorted(self.topics),
            "retained": self.retained,
        }

    def _make_client(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=self.client_id, clean_session=False, protocol=paho.MQTTv311, manual_ack=True
        )
        if self.url.username:
            client.username_pw_set(unquote(self.url.username), unquote(self.url.password or ""))
        if self.url.scheme == "mqtts":
            client.tls_set()
        client.reconnect_delay_set(1, 10)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe
        client.on_message = self._on_message
        return client

    def _on_connect(self, _client: Any, _userdata: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        self.generation += 1
        if reason.is_failure:
            log.error("mqtt_refused", reason=str(reason))
            return
        metrics.BROKER_CONNECTS.labels("mqtt").inc()
        log.info("mqtt_connected", host=self.url.hostname, port=self.url.port)
        self._subscribe(self.topics)
        self.connected.set()

    def _on_disconnect(self, _client: Any, _userdata: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        self.generation += 1
        self.connected.clear()
        if not self.holding:
            log.warning("mqtt_disconnected", reason=str(reason))

    def _subscribe(self, topics: Iterable[str]) -> None:
        if wanted := [(topic, 1) for topic in sorted(topics)]:
            self.client.subscribe(wanted)

    def _on_subscribe(self, _client: Any, _userdata: Any, _mid: int, reasons: list[ReasonCode], _properties: Any) -> None:
        if refused := [str(reason) for reason in reasons if reason.is_failure]:
            log.error("mqtt_subscription_refused", reasons=refused)

    def _on_message(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        if self.holding:
            return
        try:
            self._take(message)
        except Exception as error:
            log.error("mqtt_message_refused", error=repr(error)[:300])

    def _await_answer(self) -> None:
        """Ask the broker something: it answers in order, so it has read every ack by then.

        Without it the last acks can be lost: where messages still arrive while the socket is closed, the kernel
        resets the connection, and the broker gives up what it has not read.
        """
        if self.connected.is_set():
            self._answered.clear()
            self.client.unsubscribe(NOTHING)
            self._answered.wait(GOODBYE)

    def _on_unsubscribe(self, *_: Any) -> None:
        self._answered.set()

    def _take(self, message: paho.MQTTMessage) -> None:
        """Emit a message. Copies that the broker retained are old news that were taken when they were new."""
        ack = Ack(self, self.generation, message.mid) if message.qos else None
        topic = message.topic
        if message.retain or topic.startswith("$SYS/"):
            self._take_other(topic, message, ack)
        else:
            self.emit(Uplink(topic, bytes(message.payload), arrival()), ack)

    def _take_other(self, topic: str, message: paho.MQTTMessage, ack: Ack | None) -> None:
        word = mqtt_log.read(bytes(message.payload)) if topic == mqtt_log.TOPIC else None
        if word:
            self.emit(Uplink(up(word[0], "status"), word[1], arrival(), "broker"), ack)
        elif ack:
            self.retained += message.retain
            ack()
