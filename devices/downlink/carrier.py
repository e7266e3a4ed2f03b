"""The downlink's own connection to the broker: QoS 1, MQTT 5, and nothing that it sends by itself a second time.

MQTT 5, because its acknowledgement says whether anybody subscribes to the topic. When the connection is lost, what
was not acknowledged stays open: whether to send it again is for the dispatcher to say, so the client and all that
it remembers is thrown away and the next connection begins with a new one.
"""

import enum
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

KEEPALIVE = 30  # seconds
IN_FLIGHT = 10_000  # messages that the broker has not acknowledged yet
NOBODY = 0x10  # MQTT 5: no matching subscribers
log = structlog.get_logger(__name__)


class Fate(enum.Enum):
    """What became of a message: the broker has it, it reached nobody, the broker refused it, or nobody can know."""

    TAKEN = "taken"
    NOBODY = "nobody"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Ack(NamedTuple):
    token: Any
    fate: Fate


class Carrier:
    """Publishes for one thread; `on_word` is called by another one when there is something in `take`."""

    def __init__(self, url: str, client_id: str, on_word: Callable[[], Any]) -> None:
        self.url = urlsplit(url)
        self.client_id = client_id
        self.on_word = on_word
        self.connected = threading.Event()
        self._client: paho.Client | None = None
        self._open: dict[int, Any] = {}
        self._words: deque[tuple[paho.Client, int, Fate]] = deque()

    @property
    def room(self) -> int:
        """How many messages may go before some are acknowledged."""
        return IN_FLIGHT - len(self._open)

    def heal(self) -> None:
        """Connect, where there is no connection and none under way. Called once a second by the publishing thread."""
        client = self._client
        if client is not None and (self.connected.is_set() or (client._thread is not None and client._thread.is_alive())):
            return
        self.stop()
        client = self._client = self._make_client()
        try:
            client.connect_async(self.url.hostname or "127.0.0.1", self.url.port or 1883, KEEPALIVE)
            client.loop_start()
        except (OSError, ValueError) as error:
            log.warning("downlink_not_connected", error=str(error)[:200])

    def stop(self) -> None:
        """End the connection; what it has not acknowledged is UNKNOWN."""
        client, self._client = self._client, None
        self.connected.clear()
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def publish(self, token: Any, topic: str, payload: bytes, seconds: float) -> Fate | None:
        """Send a message that is worthless after so many seconds; None where its fate will be in `take`."""
        client = self._client
        if client is None or not self.connected.is_set():
            return Fate.REFUSED
        properties = Properties(PacketTypes.PUBLISH)
        properties.MessageExpiryInterval = max(1, min(int(seconds + 0.999), 0xFFFFFFFF))
        info = client.publish(topic, payload, qos=1, properties=properties)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            return Fate.REFUSED if info.rc == paho.MQTT_ERR_NO_CONN else Fate.UNKNOWN
        self._open[info.mid] = token
        return None

    def take(self) -> list[Ack]:
        """What became of messages since the last call. For the publishing thread."""
        acks = []
        while self._words:
            client, mid, fate = self._words.popleft()
            if client is self._client and mid in self._open:
                acks.append(Ack(self._open.pop(mid), fate))
        if not self.connected.is_set() and self._open:
            acks += [Ack(token, Fate.UNKNOWN) for token in self._open.values()]
            self._open.clear()
        return acks

    def _make_client(self) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.client_id, protocol=paho.MQTTv5, reconnect_on_failure=False)
        if self.url.username:
            client.username_pw_set(unquote(self.url.username), unquote(self.url.password or ""))
        if self.url.scheme == "mqtts":
            client.tls_set()
        client.max_inflight_messages_set(IN_FLIGHT)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        return client

    def _on_connect(self, client: paho.Client, _userdata: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            log.error("downlink_refused_by_broker", reason=str(reason))
        elif client is self._client:
            self.connected.set()
            self.on_word()

    def _on_disconnect(self, client: paho.Client, _userdata: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if client is self._client:
            self.connected.clear()
            self.on_word()

    def _on_publish(self, client: paho.Client, _userdata: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
        """Runs while paho holds its own lock: nothing here may wait."""
        fate = Fate.NOBODY if reason.value == NOBODY else Fate.REFUSED if reason.is_failure else Fate.TAKEN
        self._words.append((client, mid, fate))
        self.on_word()
