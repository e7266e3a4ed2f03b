"""NATS: publishes to a subject, to JetStream with its acknowledgement where a stream takes it, else flushed to the server.

The protocol is lines of text, and this speaks the few of them that a publisher needs.
"""

import json
import secrets
import socket
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from rules.outside.errors import Down, Rejected
from rules.outside.sockets import connect, secured
from rules.template import compile_template

from .base import BATCH, Message, flag, host, port, schema, secret, templated, text

LINE = 1_000_000  # bytes


class NatsForwarder:
    TITLE = "NATS"
    SETTINGS = schema(
        {
            "host": host(),
            "port": port(4222),
            "subject": templated("Subject", minLength=1, default="iotpanel.{{ stream }}"),
            "jetstream": flag("JetStream: wait until the stream has stored each message"),
            "username": text("User name"),
            "password": secret("Password"),
            "token": secret("Token"),
            "tls": flag("TLS"),
            "verify": flag("Check the server's certificate", True),
        },
        ["host", "subject"],
    )
    OBJECTS = False
    EXPERIMENTAL = False
    batch = BATCH

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.subject = compile_template(settings["subject"])
        self.socket: socket.socket | None = None
        self.lines: Any = None
        self.inbox = ""

    def send(self, messages: Sequence[Message]) -> str:
        try:
            if self.socket is None:
                self._connect()
            for message in messages:
                self._publish(message)
            if self.settings.get("jetstream"):
                return self._acknowledged(len(messages))
            self._write(b"PING\r\n")
            self._await(b"PONG")
        except OSError as error:
            raise Down(str(error) or type(error).__name__) from error
        return f"{len(messages)} taken"

    def _publish(self, message: Message) -> None:
        subject = "".join(character for character in self.subject.render(message.context) if character.isprintable() and character != " ")
        body = message.body.encode()
        if len(body) > self.limit:
            raise Rejected(_("The server takes at most %(limit)d bytes.") % {"limit": self.limit})
        reply = f" {self.inbox}" if self.settings.get("jetstream") else ""
        self._write(f"PUB {subject}{reply} {len(body)}\r\n".encode() + body + b"\r\n")

    def _acknowledged(self, number: int) -> str:
        """One answer for each message, in order."""
        for _each in range(number):
            head = self._await(b"MSG").split()
            answer = self.lines.read(int(head[-1]) + 2)
            said = json.loads(answer or b"{}") if head[-1] != b"0" else {}
            if "error" in said or not said.get("stream"):
                raise Down(said.get("error", {}).get("description") or _("No stream takes this subject."))
        return f"{number} stored"

    def _connect(self) -> None:
        given = self.settings
        self.socket = connect(given["host"], given.get("port", 4222))
        self.lines = self.socket.makefile("rb")
        server = json.loads(self._await(b"INFO").split(b" ", 1)[1])
        self.limit = int(server.get("max_payload", LINE))
        if given.get("tls") or server.get("tls_required"):
            self.socket = secured(self.socket, given["host"], verify=given.get("verify", True))
            self.lines = self.socket.makefile("rb")
        hello = {
            "verbose": False,
            "pedantic": False,
            "name": "iotpanel",
            "lang": "python",
            "version": "1",
            "no_responders": True,
            "headers": True,
        }
        hello |= {"user": given.get("username"), "pass": given.get("password"), "auth_token": given.get("token")}
        said = {name: value for name, value in hello.items() if value is not None}
        self._write(f"CONNECT {json.dumps(said)}\r\nPING\r\n".encode())
        self._await(b"PONG")
        if given.get("jetstream"):
            self.inbox = f"_INBOX.{secrets.token_hex(11)}"
            self._write(f"SUB {self.inbox} 1\r\n".encode())

    def _write(self, data: bytes) -> None:
        assert self.socket is not None
        self.socket.sendall(data)

    def _await(self, verb: bytes) -> bytes:
        """The next line that begins with the verb; the server's pings are answered. Raises Down with its complaint."""
        while line := self.lines.readline(LINE):
            if line.startswith(b"-ERR"):
                raise Down(line[4:].decode(errors="replace").strip().strip("'"))
            if line.startswith(b"PING"):
                self._write(b"PONG\r\n")
            elif line.startswith(b"HMSG") and verb == b"MSG":
                self.lines.read(int(line.split()[-1]) + 2)
                raise Down(_("No stream takes this subject."))
            elif line.startswith(verb):
                return bytes(line.strip())
        raise Down(_("The server closed the connection."))

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None
