"""One device's connection to the broker, as a real device would hold it."""

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from devices.connectors.goodbye import leave

from .kinds import Message, Simulated
from .obedience import answers

KEEP_ALIVE = 60
GOODBYE = 2.0  # seconds that a goodbye may take
QUEUE = 500  # messages kept while the broker is away; then the newest are refused, and the device goes on


class Link:
    """Connects by itself and again after every loss; QoS 1; the last will says `offline`."""

    def __init__(self, device: Simulated, secret: str) -> None:
        self.device = device
        self.refused = False
        client = self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=device.key, protocol=mqtt.MQTTv311)
        client.username_pw_set(device.key, secret)
        client.will_set(self._topic("status"), b"offline", qos=1)
        client.reconnect_delay_set(1, 15)
        client.max_queued_messages_set(QUEUE)
        client.on_connect = self._connected
        client.on_message = self._obey

    def start(self, host: str, port: int) -> None:
        self.client.connect_async(host, port, KEEP_ALIVE)
        self.client.loop_start()

    def send(self, messages: list[Message]) -> list[mqtt.MQTTMessageInfo]:
        return [self.client.publish(self._topic(message.topic), message.payload, qos=1) for message in messages]

    def is_connected(self) -> bool:
        return self.client.is_connected()

    def stop(self) -> None:
        """Says goodbye: a clean disconnection sends no last will."""
        if self.is_connected():
            for info in self.send([*self.device.farewell(), Message("status", b"offline")]):
                info.wait_for_publish(GOODBYE)
        leave(self.client)

    def _topic(self, kind: str) -> str:
        return f"devices/{self.device.key}/up/{kind}"

    def _connected(self, client: mqtt.Client, userdata: object, flags: object, code: ReasonCode, properties: object) -> None:
        self.refused = code.is_failure
        if code.is_failure:
            return
        client.subscribe(f"devices/{self.device.key}/down/#", qos=1)
        self.send([Message("status", b"online"), *self.device.greeting()])

    def _obey(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        """Whatever comes down is answered; paho's thread must not end by it."""
        try:
            self.send(answers(self.device, message.topic.split("/")[3:], bytes(message.payload)))
        except (ValueError, TypeError, AttributeError):
            return  # not JSON of the contract's shape


def taken(infos: list[mqtt.MQTTMessageInfo]) -> bool:
    """Whether the broker has acknowledged all of these."""
    try:
        return all(info.is_published() for info in infos)
    except (RuntimeError, ValueError):
        return False  # the connection was lost, or the queue was full, as it was sent
