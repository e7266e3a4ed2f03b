"""MQTT: publishes to another broker, and waits for its acknowledgement of each message."""

import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as paho
from django.utils.translation import gettext as _
from paho.mqtt.enums import CallbackAPIVersion

from devices.connectors.goodbye import leave
from rules.outside.addresses import pinned
from rules.outside.errors import Down
from rules.template import compile_template

from .base import BATCH, Message, flag, host, port, schema, secret, templated, text

SECONDS = 10.0


class PinnedClient(paho.Client):
    """Connects to the address that was judged; TLS still checks the name."""

    def _create_socket_connection(self) -> socket.socket:
        return socket.create_connection((pinned(self._host, self._port), self._port), self._connect_timeout)


class MqttForwarder:
    TITLE = "MQTT"
    SETTINGS = schema(
        {
            "host": host(),
            "port": port(1883),
            "topic": templated("Topic", minLength=1, default="iotpanel/{{ device.key }}/{{ stream }}"),
            "qos": {"type": "integer", "title": "QoS", "enum": [0, 1, 2], "default": 1},
            "retain": flag("Retain"),
            "username": text("User name"),
            "password": secret("Password"),
            "client_id": text("Client id", maxLength=64),
            "tls": flag("TLS"),
            "verify": flag("Check the server's certificate", True),
        },
        ["host", "topic"],
    )
    OBJECTS = False
    EXPERIMENTAL = False
    batch = BATCH

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.topic = compile_template(settings["topic"])
        self.client: paho.Client | None = None
        self.answered = threading.Event()
        self.reason = ""

    def send(self, messages: Sequence[Message]) -> str:
        client = self.client or self._connect()
        qos, retain = self.settings.get("qos", 1), self.settings.get("retain", False)
        waiting = [client.publish(self._topic(message), message.body.encode(), qos, retain) for message in messages]
        until = time.monotonic() + SECONDS
        for info in waiting:
            try:
                info.wait_for_publish(max(0.01, until - time.monotonic()))
            except (RuntimeError, ValueError) as error:
                raise Down(f"{error}") from error
            if not info.is_published():
                raise Down(_("The broker did not acknowledge within %(seconds)d seconds.") % {"seconds": SECONDS})
        return f"{len(messages)} acknowledged"

    def _topic(self, message: Message) -> str:
        """Wildcards in a name would make the broker refuse the whole connection."""
        return self.topic.render(message.context).replace("+", "_").replace("#", "_").replace("\0", "")[:1000] or "_"

    def _connect(self) -> paho.Client:
        client = PinnedClient(CallbackAPIVersion.VERSION2, client_id=self.settings.get("client_id", ""))
        client.connect_timeout = 5.0
        client.max_inflight_messages_set(1000)
        if self.settings.get("username"):
            client.username_pw_set(self.settings["username"], self.settings.get("password"))
        if self.settings.get("tls"):
            client.tls_set()
            client.tls_insecure_set(not self.settings.get("verify", True))
        client.on_connect = self._on_connect
        try:
            client.connect(self.settings["host"], self.settings.get("port", 1883), keepalive=60)
        except OSError as error:
            raise Down(str(error)) from error
        client.loop_start()
        self.client = client
        if not self.answered.wait(SECONDS):
            raise Down(_("The broker does not answer."))
        if self.reason:
            raise Down(self.reason)
        return client

    def _on_connect(self, _client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.reason = str(reason) if reason.is_failure else ""
        self.answered.set()

    def close(self) -> None:
        if self.client is not None:
            leave(self.client)
            self.client = None
