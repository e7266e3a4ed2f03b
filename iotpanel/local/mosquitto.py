"""Mosquitto: one listener for devices, another for our own workers, and the files that name the accounts."""

import base64
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from iotpanel.local.home import Home, write_private
from iotpanel.local.part import Part
from iotpanel.local.ports import accepts
from iotpanel.local.tree import Tree

WORKER = "iotpanel-worker"
ITERATIONS = 101
"""As many as mosquitto_passwd takes; the secret has 256 bits, so that more would only slow each login down."""
DEVICE_RULES = """\
# Each account may write and read below its own name only.
pattern write devices/%u/up/#
pattern read devices/%u/down/#
"""
SETTINGS = """\
# Written at each start. Settings of your own go into {own}
per_listener_settings true
pid_file {folder}/mosquitto.pid
{user}
persistence true
persistence_location {data}/
autosave_interval 30
persistent_client_expiration 14d

# The queue of the workers' session must hold a whole outage; bounded by bytes, not by the default of 1,000.
# Not 0 for "no limit": Mosquitto 2.0 then ends the connection of a client whose publish its rules deny.
max_queued_messages 10000000
max_queued_bytes {queue_bytes}
# The default of 20 would cap every batch that is acknowledged after its commit.
max_inflight_messages 0
max_inflight_bytes 0
# 1 MB of payload, and its topic. A larger packet ends the connection.
max_packet_size {packet}

sys_interval 10
# The workers read who comes and goes on $SYS/broker/log/N.
log_dest topic
log_dest stderr
log_type error
log_type warning
log_type notice
log_timestamp_format %Y-%m-%dT%H:%M:%S
connection_messages true

# Devices: the account is the client id, so that nobody can push another device out.
listener {port} {bind}
allow_anonymous false
use_username_as_clientid true
password_file {folder}/passwords
acl_file {folder}/acl
set_tcp_nodelay true

# Our own workers: a password file of their own, so that no device can sign in here.
listener {worker_port} 127.0.0.1
allow_anonymous false
password_file {folder}/worker-passwords
set_tcp_nodelay true
"""
QUEUE_BYTES = 1_000_000_000
PACKET = 1_048_576 + 1024


@dataclass(frozen=True)
class Mosquitto:
    """The broker of one home; ``port`` is the devices' listener, ``worker_port`` ours on loopback."""

    tree: Tree
    home: Home
    bind: str
    reach: str
    port: int
    worker_port: int

    @property
    def url(self) -> str:
        """Address for the workers."""
        return f"mqtt://{WORKER}:{self.home.secret('broker')}@127.0.0.1:{self.worker_port}"

    def part(self) -> Part:
        argv = (str(self.tree.program("mosquitto")), "-c", str(self.home.broker / "mosquitto.conf"))
        return Part("mosquitto", argv, self.is_ready, patience=20)

    def is_ready(self) -> bool:
        return accepts(self.port, self.reach) and accepts(self.worker_port)

    def prepare(self) -> None:
        """Write the configuration; the devices' files are only begun here, the uplink worker keeps them."""
        data = self.home.root / "mosquitto"
        data.mkdir(exist_ok=True, mode=0o700)
        write_private(self.home.broker / "mosquitto.conf", self.settings(data))
        write_private(self.home.broker / "worker-passwords", f"{WORKER}:{hash_line(self.home.secret('broker'))}\n")
        for name, content in (("passwords", ""), ("acl", DEVICE_RULES)):
            if not (self.home.broker / name).exists():
                write_private(self.home.broker / name, content)

    def settings(self, data: Path) -> str:
        own = self.home.root / "mosquitto.d"
        own.mkdir(exist_ok=True)
        text = SETTINGS.format(
            own=own,
            folder=self.home.broker,
            user="user root" if os.geteuid() == 0 else "",
            data=data,
            queue_bytes=QUEUE_BYTES,
            packet=PACKET,
            port=self.port,
            bind=self.bind,
            worker_port=self.worker_port,
        )
        return text + f"include_dir {own}\n"


def hash_line(secret: str) -> str:
    """A secret as Mosquitto keeps it: PBKDF2 with SHA-512, ``$7$iterations$salt$hash``."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
