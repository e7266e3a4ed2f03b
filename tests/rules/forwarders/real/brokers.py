"""Real brokers: RabbitMQ, NATS with JetStream, Mosquitto, Valkey."""

import base64
import json
import secrets
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import paho.mqtt.client as paho
import pika
import redis
from paho.mqtt import subscribe
from paho.mqtt.enums import CallbackAPIVersion

from iotpanel.local.ports import free_port
from tests.rules.forwarders.contract import Received
from tests.services import eventually

from .process import Process, libraries, listens, program, tree

PASSWORD = "right-password"


def pair(body: bytes | str) -> tuple[str, float]:
    said = json.loads(body)
    return said["device"], said["n"]


class Rabbitmq:
    kind, secret = "rabbitmq", "password"

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        names = free_port()
        erlang = sorted(tree().glob("usr/lib/erlang/erts-*/bin"))[-1]
        home.mkdir(parents=True)
        wrapper = home / "bin"
        wrapper.mkdir()
        roots = f'export ROOTDIR="{tree()}/usr/lib/erlang" BINDIR="{erlang}" EMU=beam PROGNAME=erl\n'
        (wrapper / "erl").write_text(f'#!/bin/sh\n{roots}exec "{erlang}/erlexec" "$@"\n')
        (wrapper / "erl").chmod(0o755)
        (home / ".erlang.cookie").write_text("COOKIE")
        (home / ".erlang.cookie").chmod(0o400)
        account = f"default_user = us\ndefault_pass = {PASSWORD}\n"
        settings = f"listeners.tcp.local = 127.0.0.1:{self.port}\n{account}log.console = true\nlog.file = false\n"
        (home / "rabbitmq.conf").write_text(settings + "vm_memory_high_watermark.absolute = 256MB\n")
        (home / "plugins").write_text("[].")
        env = libraries() | {
            "PATH": f"{wrapper}:/usr/bin:/bin",
            "RABBITMQ_NODENAME": f"iotpanel-{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "ERL_EPMD_PORT": str(names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(home / "none"),
            "RABBITMQ_MNESIA_BASE": str(home / "data"),
            "RABBITMQ_LOG_BASE": str(home / "logs"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
            "RABBITMQ_PID_FILE": str(home / "pid"),
            "ERL_CRASH_DUMP": str(home / "crash"),
            "LANG": "C.UTF-8",
        }
        start = program("usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server")
        self.process = Process("rabbitmq", home, (str(start),), listens(self.port), env)
        # Erlang's own name server, which a node starts by itself only where its programs are installed.
        self.names = Process("epmd", home, (str(erlang / "epmd"),), listens(names), env)

    def start(self) -> None:
        if self.names.running is None:
            self.names.start()
        self.process.start()
        with self._connection() as connection:
            connection.channel().queue_declare("readings", durable=True)

    def stop(self) -> None:
        self.process.stop()

    def maker(self) -> str:
        with self._connection() as connection:
            return f"RabbitMQ {connection._impl.server_properties['version']}"

    def _connection(self) -> Any:
        account = pika.PlainCredentials("us", PASSWORD)
        place = pika.ConnectionParameters("127.0.0.1", self.port, credentials=account, connection_attempts=150, retry_delay=0.2)
        return pika.BlockingConnection(place)

    def settings(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.port, "routing_key": "readings", "username": "us", "password": PASSWORD}

    def received(self) -> Received:
        """Read without acknowledging: the broker puts all of it back where it was."""
        found = []
        with self._connection() as connection:
            channel = connection.channel()
            while (got := channel.basic_get("readings"))[0]:
                found.append(pair(got[2]))
        return found


class Nats:
    kind, secret = "nats", "password"

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        home.mkdir(parents=True)
        account = f'authorization {{ user: us, password: "{PASSWORD}" }}'
        (home / "nats.conf").write_text(f'listen: "127.0.0.1:{self.port}"\n{account}\njetstream {{ store_dir: "{home}/data" }}\n')
        argv = (str(program("usr/bin/nats-server", "usr/sbin/nats-server")), "-c", str(home / "nats.conf"))
        self.process = Process("nats", home, argv, listens(self.port), libraries())

    def start(self) -> None:
        self.process.start()
        stream = {"name": "READINGS", "subjects": ["readings.>"], "storage": "file"}
        self._answers([("$JS.API.STREAM.CREATE.READINGS", stream)])

    def stop(self) -> None:
        self.process.stop()

    def maker(self) -> str:
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection, connection.makefile("rb") as lines:
            return f"NATS {json.loads(lines.readline().removeprefix(b'INFO '))['version']}"

    def settings(self) -> dict[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "subject": "readings.{{ device.key }}",
            "jetstream": True,
            "username": "us",
            "password": PASSWORD,
        }

    def received(self) -> Received:
        (info,) = self._answers([("$JS.API.STREAM.INFO.READINGS", {})])
        numbers = range(max(1, info["state"]["first_seq"]), info["state"]["last_seq"] + 1)
        found = self._answers([("$JS.API.STREAM.MSG.GET.READINGS", {"seq": number}) for number in numbers])
        return [pair(base64.b64decode(each["message"]["data"])) for each in found]

    def _answers(self, asked: Sequence[tuple[str, Any]]) -> list[Any]:
        """Requests one after the other, over a connection of their own, by NATS' protocol."""
        inbox = f"_INBOX.{secrets.token_hex(8)}"
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection, connection.makefile("rb") as lines:
            hello = json.dumps({"user": "us", "pass": PASSWORD, "verbose": False})
            connection.sendall(f"CONNECT {hello}\r\nSUB {inbox} 1\r\n".encode())
            return [self._answer(connection, lines, inbox, *each) for each in asked]

    @staticmethod
    def _answer(connection: socket.socket, lines: BinaryIO, inbox: str, subject: str, body: Any) -> Any:
        data = json.dumps(body).encode()
        connection.sendall(f"PUB {subject} {inbox} {len(data)}\r\n".encode() + data + b"\r\n")
        while not (line := lines.readline()).startswith(b"MSG"):
            assert line, "closed"
        return json.loads(lines.read(int(line.split()[-1])))


class Mosquitto:
    kind, secret = "mqtt", "password"

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        home.mkdir(parents=True)
        tool = str(program("usr/bin/mosquitto_passwd"))
        subprocess.run([tool, "-b", "-c", str(home / "passwords"), "us", PASSWORD], check=True)
        (home / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\npassword_file {home}/passwords\nallow_anonymous false\nuser root\nmax_queued_messages 0\n"
        )
        argv = (str(program("usr/sbin/mosquitto")), "-c", str(home / "mosquitto.conf"))
        self.process = Process("mosquitto", home, argv, listens(self.port))
        self.taken: list[tuple[str, float]] = []
        self.reader: Any = None

    def start(self) -> None:
        self.process.start()
        self.reader = paho.Client(CallbackAPIVersion.VERSION2)
        self.reader.username_pw_set("us", PASSWORD)
        self.reader.on_message = lambda _client, _data, message: self.taken.append(pair(message.payload))
        subscribed: list[Any] = []
        self.reader.on_subscribe = lambda *_: subscribed.append(1)
        self.reader.on_connect = lambda client, *_: client.subscribe("readings/#", 1)
        self.reader.connect("127.0.0.1", self.port)
        self.reader.loop_start()
        eventually(lambda: subscribed)

    def stop(self) -> None:
        self.reader.disconnect()
        self.reader.loop_stop()
        self.process.stop()

    def maker(self) -> str:
        said: Any = subscribe.simple(
            "$SYS/broker/version", hostname="127.0.0.1", port=self.port, auth={"username": "us", "password": PASSWORD}
        )
        return str(said.payload.decode()).capitalize().replace(" version", "")

    def settings(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.port, "topic": "readings/{{ device.key }}", "username": "us", "password": PASSWORD}

    def received(self) -> Received:
        """What the reader has once nothing more comes: the broker passes messages on a moment after it has taken them."""
        marks = -1
        while marks != len(self.taken):
            marks = len(self.taken)
            time.sleep(0.3)
        return list(self.taken)


class Valkey:
    kind, secret = "redis", "password"

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        home.mkdir(parents=True)
        settings = f'bind 127.0.0.1\nport {self.port}\nrequirepass "{PASSWORD}"\ndir "{home}"\nappendonly yes\n'
        (home / "valkey.conf").write_text(settings)
        argv = (str(program("usr/bin/valkey-server", "usr/bin/redis-server")), str(home / "valkey.conf"))
        self.process = Process("valkey", home, argv, listens(self.port))

    def start(self) -> None:
        self.process.start()

    def stop(self) -> None:
        self.process.stop()

    def maker(self) -> str:
        said: Any = self._client().info("server")
        return f"Valkey {said['valkey_version']}" if "valkey_version" in said else f"Redis {said['redis_version']}"

    def _client(self) -> redis.Redis:
        return redis.Redis(port=self.port, password=PASSWORD)

    def settings(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.port, "stream": "readings", "password": PASSWORD}

    def received(self) -> Received:
        entries: Any = self._client().xrange("readings")
        return [pair(fields[b"body"]) for _, fields in entries]
