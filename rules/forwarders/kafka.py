"""Kafka: produces to a topic with the device as key, so that a device's messages stay in order in one partition.

The client looks brokers up by itself: each that the cluster names is judged before anything is produced.
"""

from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer
from django.utils.translation import gettext as _

from rules.outside.addresses import resolve
from rules.outside.errors import Down, Rejected
from rules.template import compile_template

from .base import BATCH, Message, flag, schema, secret, templated, text

SECONDS = 12.0
OF_THE_MESSAGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_RECORD, KafkaError.INVALID_MSG_SIZE}
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class KafkaForwarder:
    TITLE = "Kafka"
    SETTINGS = schema(
        {
            "servers": text("Bootstrap servers", pattern=r"^[^\s,:/]+:\d{1,5}(,[^\s,:/]+:\d{1,5})*$", **{"x-address": True}),
            "topic": templated("Topic", minLength=1),
            "acks": {"type": "string", "title": "Acknowledged by", "enum": ["all", "1"], "default": "all"},
            "compression": {"type": "string", "title": "Compression", "enum": ["none", "gzip", "snappy", "lz4", "zstd"], "default": "none"},
            "tls": flag("TLS"),
            "verify": flag("Check the servers' certificates", True),
            "ca": text("Certificate of the authority (PEM)", maxLength=20_000),
            "mechanism": {"type": "string", "title": "SASL mechanism", "enum": [*MECHANISMS], "default": "PLAIN"},
            "username": text("User name"),
            "password": secret("Password"),
        },
        ["servers", "topic"],
    )
    OBJECTS = False
    EXPERIMENTAL = False
    batch = BATCH

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.topic = compile_template(settings["topic"])
        self.producer: Any = None
        self.trouble = ""

    def send(self, messages: Sequence[Message]) -> str:
        producer = self.producer or self._connect()
        fates: list[Any] = [None] * len(messages)
        for position, message in enumerate(messages):

            def note(error: Any, _delivered: Any, position: int = position) -> None:
                fates[position] = error or True

            self._produce(producer, message, note)
            producer.poll(0)
        left = producer.flush(SECONDS)
        if left:
            producer.purge()
            raise Down(self.trouble or _("No acknowledgement within %(seconds)d seconds.") % {"seconds": SECONDS})
        self._judge(fates)
        return f"{len(messages)} acknowledged"

    def _produce(self, producer: Any, message: Message, note: Any) -> None:
        try:
            producer.produce(self.topic.render(message.context), message.body.encode(), message.key.encode(), on_delivery=note)
        except (BufferError, KafkaException) as error:
            code = error.args[0].code() if isinstance(error, KafkaException) else None
            if code in OF_THE_MESSAGE:
                raise Rejected(str(error)) from error
            raise Down(str(error)) from error

    @staticmethod
    def _judge(fates: Sequence[Any]) -> None:
        refused = {position: fate.str() for position, fate in enumerate(fates) if fate is not True and fate.code() in OF_THE_MESSAGE}
        for fate in fates:
            if fate is not True and fate.code() not in OF_THE_MESSAGE:
                raise Down(fate.str())
        if refused:
            raise Rejected(next(iter(refused.values())), refused)

    def _connect(self) -> Any:
        for server in self.settings["servers"].split(","):
            resolve(*_place(server))
        producer = Producer(self._configuration())
        try:
            found = producer.list_topics(timeout=5)
        except KafkaException as error:
            raise Down(self.trouble or str(error.args[0].str())) from error
        for broker in found.brokers.values():
            resolve(broker.host, broker.port)
        self.producer = producer
        return producer

    def _configuration(self) -> dict[str, Any]:
        given = self.settings
        tls, signed_in = given.get("tls", False), bool(given.get("username"))
        chosen: dict[str, Any] = {
            "bootstrap.servers": given["servers"],
            "client.id": "iotpanel",
            "acks": given.get("acks", "all"),
            "enable.idempotence": given.get("acks", "all") == "all",
            "compression.type": given.get("compression", "none"),
            "message.timeout.ms": int(SECONDS * 1000) - 2000,
            "socket.connection.setup.timeout.ms": 5000,
            "linger.ms": 5,
            "security.protocol": ("SASL_" if signed_in else "") + ("SSL" if tls else "PLAINTEXT"),
            "error_cb": self._on_error,
            "log_level": 0,
        }
        if signed_in:
            chosen |= {"sasl.mechanism": given.get("mechanism", "PLAIN"), "sasl.username": given["username"]}
            chosen["sasl.password"] = given.get("password", "")
        if tls:
            chosen["enable.ssl.certificate.verification"] = given.get("verify", True)
            if given.get("ca"):
                chosen["ssl.ca.pem"] = given["ca"]
        return chosen

    def _on_error(self, error: Any) -> None:
        self.trouble = error.str()

    def close(self) -> None:
        self.producer = None


def _place(server: str) -> tuple[str, int]:
    host, _, port = server.rpartition(":")
    return host, int(port)
