"""RabbitMQ (AMQP 0-9-1): publishes to an exchange, mandatory and confirmed, so that nothing vanishes unrouted."""

from collections.abc import Sequence
from typing import Any, Final

import pika
import pika.exceptions
from django.utils.translation import gettext as _

from rules.outside.addresses import pinned
from rules.outside.errors import Down
from rules.outside.sockets import tls_context
from rules.template import compile_template

from .base import BATCH, Message, flag, host, port, schema, secret, templated, text

PERSISTENT: Final = 2


class RabbitmqForwarder:
    TITLE = "RabbitMQ"
    SETTINGS = schema(
        {
            "host": host(),
            "port": port(5672),
            "virtual_host": text("Virtual host", default="/"),
            "exchange": text("Exchange", default=""),
            "routing_key": templated("Routing key", default="iotpanel"),
            "username": text("User name", default="guest"),
            "password": secret("Password"),
            "tls": flag("TLS"),
            "verify": flag("Check the server's certificate", True),
        },
        ["host", "routing_key"],
    )
    OBJECTS = False
    EXPERIMENTAL = False
    batch = BATCH

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.routing_key = compile_template(settings["routing_key"])
        self.connection: Any = None
        self.channel: Any = None

    def send(self, messages: Sequence[Message]) -> str:
        """One by one, each confirmed before the next: AMQP confirms no batch, and order counts."""
        channel = self.channel or self._connect()
        try:
            for message in messages:
                self._publish(channel, message)
        except pika.exceptions.UnroutableError as error:
            raise Down(_("No queue takes messages with this routing key.")) from error
        except pika.exceptions.NackError as error:
            raise Down(_("The broker refused the message for now.")) from error
        except (pika.exceptions.AMQPError, OSError) as error:
            raise Down(_words(error)) from error
        return f"{len(messages)} confirmed"

    def _publish(self, channel: Any, message: Message) -> None:
        properties = pika.BasicProperties(content_type="application/json", delivery_mode=PERSISTENT, timestamp=message.at // 1_000_000)
        properties.headers = {"device": message.key}
        key = self.routing_key.render(message.context)[:255]
        channel.basic_publish(self.settings.get("exchange", ""), key, message.body.encode(), properties, mandatory=True)

    def _connect(self) -> Any:
        given = self.settings
        name, number = given["host"], given.get("port", 5672)
        parameters = pika.ConnectionParameters(
            host=pinned(name, number),
            port=number,
            virtual_host=given.get("virtual_host", "/"),
            credentials=pika.PlainCredentials(given.get("username", "guest"), given.get("password", "guest")),
            ssl_options=pika.SSLOptions(tls_context(verify=given.get("verify", True)), name) if given.get("tls") else None,
            heartbeat=60,
            socket_timeout=5,
            stack_timeout=8,
            blocked_connection_timeout=10,
        )
        try:
            self.connection = pika.BlockingConnection(parameters)
            self.channel = self.connection.channel()
            self.channel.confirm_delivery()
            if exchange := given.get("exchange", ""):
                self.channel.exchange_declare(exchange, passive=True)
        except (pika.exceptions.AMQPError, OSError) as error:
            raise Down(_words(error)) from error
        return self.channel

    def close(self) -> None:
        if self.connection is not None and self.connection.is_open:
            self.connection.close()
        self.connection = self.channel = None


def _words(error: BaseException) -> str:
    """pika hides what happened in what it wraps."""
    inner = error.args[0] if error.args and isinstance(error.args[0], BaseException) else error
    reason = getattr(inner, "exception", inner)
    return f"{type(error).__name__}: {reason}"
