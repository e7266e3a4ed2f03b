"""Redis and Valkey: appends to a stream, a batch in one pipeline."""

import ssl
from collections.abc import Sequence
from typing import Any

import redis
from redis.connection import Connection, SSLConnection

from rules.outside import sockets
from rules.outside.errors import Down
from rules.template import compile_template

from .base import BATCH, Message, flag, host, port, schema, secret, templated, text


class Pinned(Connection):
    def _connect(self) -> Any:
        return sockets.connect(self.host, self.port)


class PinnedSsl(SSLConnection):
    def _connect(self) -> Any:
        verify = self.cert_reqs != ssl.CERT_NONE
        return sockets.secured(sockets.connect(self.host, self.port), self.host, verify=verify)


class RedisForwarder:
    TITLE = "Redis streams"
    SETTINGS = schema(
        {
            "host": host(),
            "port": port(6379),
            "database": {"type": "integer", "title": "Database", "minimum": 0, "maximum": 1000, "default": 0},
            "stream": templated("Stream", minLength=1, default="iotpanel:{{ stream }}"),
            "maxlen": {"type": "integer", "title": "Entries kept, about", "minimum": 1, "maximum": 1_000_000_000, "default": 1_000_000},
            "username": text("User name"),
            "password": secret("Password"),
            "tls": flag("TLS"),
            "verify": flag("Check the server's certificate", True),
        },
        ["host", "stream"],
    )
    OBJECTS = False
    EXPERIMENTAL = False
    batch = BATCH

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.stream = compile_template(settings["stream"])
        self.client: Any = None

    def send(self, messages: Sequence[Message]) -> str:
        client = self.client or self._connect()
        try:
            pipe = client.pipeline(transaction=True)
            for message in messages:
                fields = {"device": message.key, "ts": message.at // 1000, "body": message.body}
                pipe.xadd(self.stream.render(message.context), fields, maxlen=self.settings.get("maxlen", 1_000_000), approximate=True)
            return f"{len(pipe.execute())} added"
        except (redis.RedisError, OSError) as error:
            raise Down(str(error) or type(error).__name__) from error

    def _connect(self) -> Any:
        given = self.settings
        tls: dict[str, Any] = {"ssl_cert_reqs": "required" if given.get("verify", True) else "none"} if given.get("tls") else {}
        pool = redis.ConnectionPool(
            connection_class=PinnedSsl if given.get("tls") else Pinned,
            host=given["host"],
            port=given.get("port", 6379),
            db=given.get("database", 0),
            username=given.get("username") or None,
            password=given.get("password") or None,
            socket_timeout=10,
            max_connections=1,
            **tls,
        )
        self.client = redis.Redis(connection_pool=pool)
        return self.client

    def close(self) -> None:
        if self.client is not None:
            self.client.connection_pool.disconnect()
            self.client = None
