"""Mosquitto: one listener for devices, another for our own workers, and the files that name the accounts."""

import base64
import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from iotpanel.local.home import Home, write_private
from iotpanel.local.listeners import Listeners
from iotpanel.local.part import Part
from iotpanel.local.ports import accepts
from iotpanel.local.tree import Tree

WORKER = "iotpanel-worker"
ITERATIONS = 101
"""As many as mosquitto_passwd takes; the secret has 384 bits, so that more would only slow each login down."""
OUR_RULES = f"""\
user {WORKER}
topic readwrite #
topic read $SYS/#
"""
DEVICE_RULES = """\
pattern write devices/%u/up/#
pattern read devices/%u/down/#
"""
SETTINGS = """\
# Written at each start. Settings of your own go into {own}
#
# No per_listener_settings: with it Mosquitto 2.0 forgets a session's listener when the session's client is away, and
# drops every message that arrives meanwhile. So devices and workers share a password file. A device that reaches the
# workers' listener on loopback still has its own topics only, and cannot guess the client id of our session.
pid_file {folder}/mosquitto.pid
{user}
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl

persistence true
persistence_location {data}/
autosave_interval {saved_every}
persistent_client_expiration 14d

# The queue of the workers' session must hold a whole outage; bounded by bytes, not by the default of 1,000.
# Not 0 for "no limit": Mosquitto 2.0 then ends the connection of a client whose publish its rules deny.
max_queued_messages 10000000
max_queued_bytes {queue_bytes}
# mosquitto_pub and many boards send QoS 0: what they say while the worker restarts is kept as well.
queue_qos0_messages true
# The default of 20 would cap every batch that is acknowledged after its commit. Below the worker's own bound, so that
# it never has to stop reading (and pinging) while the database is away: what exceeds this waits here.
max_inflight_messages 20000
max_inflight_bytes 0
# 1 MB of payload, and its topic. A larger packet ends the connection.
max_packet_size {packet}

sys_interval 10
set_tcp_nodelay true
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
use_username_as_clientid true

# Our own workers.
listener {worker_port} {worker_bind}
"""
TLS_SETTINGS = """\
# No session tickets of TLS 1.3: who resumes a session is not looked up in the list of revoked certificates.
openssl_conf = start
[start]
ssl_conf = libraries
[libraries]
system_default = tls
[tls]
NumTickets = 0
"""
QUEUE_BYTES = 1_000_000_000
SAVED_EVERY = 5
"""Seconds: what the broker acknowledged since it last saved is lost when it is killed."""
PACKET = 1_048_576 + 1024


@dataclass(frozen=True)
class Mosquitto:
    """The broker of one home; ``port`` is the devices' listener, ``worker_port`` ours, on loopback but in containers."""

    tree: Tree
    home: Home
    bind: str
    reach: str
    port: int
    worker_port: int
    worker_bind: str = "127.0.0.1"
    listeners: Listeners = field(default_factory=lambda: Listeners(Path()))

    @property
    def url(self) -> str:
        """Address for the workers."""
        return f"mqtt://{WORKER}:{self.home.secret('broker')}@127.0.0.1:{self.worker_port}"

    def part(self) -> Part:
        argv = (str(self.tree.program("mosquitto")), "-c", str(self.home.broker / "mosquitto.conf"))
        return Part("mosquitto", argv, self.is_ready, patience=20, env={"OPENSSL_CONF": str(self.home.broker / "openssl.cnf")})

    def is_ready(self) -> bool:
        return all(accepts(port, self.reach) for port in (self.port, *self.listeners.open.values())) and accepts(self.worker_port)

    def prepare(self) -> None:
        """Write the configuration; the devices' files are only begun here, the uplink worker keeps them."""
        data = self.home.root / "mosquitto"
        data.mkdir(exist_ok=True, mode=0o700)
        write_private(self.home.broker / "mosquitto.conf", self.settings(data))
        write_private(self.home.broker / "openssl.cnf", TLS_SETTINGS)
        self.listeners.prepare()
        ours = {"passwords": f"{WORKER}:{self.password_hash()}\n", "acl": OUR_RULES}
        for name, lines in ours.items():
            write_private(self.home.broker / f"ours-{name}", lines)
        for name, devices in (("passwords", ""), ("acl", DEVICE_RULES)):
            file = self.home.broker / name
            present = file.read_text() if file.exists() else devices
            if ours[name] not in present:
                write_private(file, ours[name] + present)

    def password_hash(self) -> str:
        """The worker's hash, made once: a fresh one at each start would change the file for nothing."""
        file = self.home.root / "secrets/broker-hash"
        if not file.exists():
            write_private(file, hash_line(self.home.secret("broker")) + "\n")
        return file.read_text().strip()

    @property
    def client_id(self) -> str:
        """Name of the uplink's session: a secret, because who knows it could take the session over."""
        return f"iotpanel-uplink-{self.home.secret('broker-session')}"

    def settings(self, data: Path) -> str:
        own = self.home.root / "mosquitto.d"
        own.mkdir(exist_ok=True)
        text = SETTINGS.format(
            own=own,
            folder=self.home.broker,
            user="user root" if os.geteuid() == 0 else "",
            data=data,
            saved_every=SAVED_EVERY,
            queue_bytes=QUEUE_BYTES,
            packet=PACKET,
            port=self.port,
            bind=self.bind,
            worker_port=self.worker_port,
            worker_bind=self.worker_bind,
        )
        return text + self.listeners.settings(self.bind) + f"\ninclude_dir {own}\n"


def hash_line(secret: str) -> str:
    """A secret as Mosquitto keeps it: PBKDF2 with SHA-512, ``$7$iterations$salt$hash``."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
