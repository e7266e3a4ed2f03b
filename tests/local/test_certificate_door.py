"""The door for certificates at a real broker: who comes in, as whom, and that a revoked one is out and stays out."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from paho.mqtt.enums import CallbackAPIVersion
from pytest_django import Settings

from devices.certificates import revoked
from iotpanel.local import authority, certificates, device_authority
from iotpanel.local.home import Home, write_private
from iotpanel.local.listeners import Listeners
from iotpanel.local.mosquitto import Mosquitto
from iotpanel.local.ports import free_port
from iotpanel.local.supervisor import Supervisor
from iotpanel.local.tree import Tree
from tests.services import eventually


class Paper(mqtt.Client):
    """A device with a certificate; `port` and files of its own."""

    def __init__(self, door: "Door", pem: Path, name: str = "two") -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id=name)
        self.context = ssl.create_default_context(cafile=str(door.home.tls / "ca.pem"))
        self.context.load_cert_chain(pem, pem.with_suffix(".key"))
        self.tls_set_context(self.context)
        self.username_pw_set(name, "a name and a password count for nothing here")
        self.heard: list[str] = []
        self.gone: list[str] = []
        self.on_message = lambda _client, _data, message: self.heard.append(message.topic)
        self.on_disconnect = lambda *given: self.gone.append(str(given[3]))
        self.port = door.listeners.cert

    def enter(self) -> "Paper":
        """Raises ssl.SSLError or OSError where the broker does not take the certificate."""
        self.connect("localhost", self.port)
        self.loop_start()
        eventually(self.is_connected)
        self.subscribe("devices/+/down/#", 1)
        self.subscribe("devices/one/down/#", 1)
        return self


class Door:
    """A broker with the door for certificates, and its authority."""

    def __init__(self, home: Home, tree: Tree) -> None:
        certificates.ensure(home, ["localhost"], anew=True)
        self.home = home
        self.listeners = Listeners(home.tls, cert=free_port())
        self.broker = Mosquitto(tree, home, "127.0.0.1", "127.0.0.1", free_port(), free_port(), listeners=self.listeners)
        self.broker.prepare()
        self.authority = device_authority.ensure(home.root / "secrets")
        self.serials: dict[str, int] = {}
        self.supervisor = Supervisor(home)
        self.supervisor.start(self.broker.part())

    def issue(self, key: str, ours: device_authority.Authority | None = None) -> Path:
        private = ec.generate_private_key(ec.SECP256R1())
        made = device_authority.issue(ours or self.authority, key, private.public_key(), 30)
        self.serials[key] = made.serial_number
        pem = self.home.root / f"{key}-{made.serial_number:x}.pem"
        write_private(pem, authority.text_of(made))
        write_private(pem.with_suffix(".key"), authority.private_text(private))
        return pem

    def revoke(self, *keys: str) -> None:
        device_authority.write_list(self.listeners.revoked, self.authority, {self.serials[key] for key in keys})
        self.supervisor.running["mosquitto"].process.send_signal(1)
        revoked.end_sessions(keys)


@pytest.fixture
def door(home: Home, tree: Tree, settings: Settings) -> Iterator[Door]:
    made = Door(home, tree)
    settings.MQTT_URL = made.broker.url
    yield made
    made.supervisor.stop()


def refused(paper: Paper) -> bool:
    """TLS 1.3 tells a client only when it reads for the first time, so that the connection may seem to stand before."""
    try:
        paper.connect("localhost", paper.port)
    except (ssl.SSLError, OSError):
        return True
    while paper.loop(0.2) == mqtt.MQTT_ERR_SUCCESS:
        if paper.is_connected():
            return False
    return True


def test_a_certificate_is_the_account_and_the_client_id_until_it_is_revoked(door: Door) -> None:
    pem = door.issue("one")
    device, other = Paper(door, pem).enter(), Paper(door, door.issue("two")).enter()
    other.publish("devices/one/down/commands/1", b"forged", 1).wait_for_publish(5)
    other.publish("devices/two/up/telemetry", b"{}", 1).wait_for_publish(5)
    assert device.is_connected(), "the client id is the common name, so the other one did not push it out"
    assert device.heard == []

    device.reconnect_delay_set(1, 1)
    door.revoke("one")
    eventually(lambda: device.gone)
    device.loop_stop()
    assert refused(Paper(door, pem))
    assert other.is_connected()

    again = Paper(door, door.issue("one")).enter()  # a new one for the same device
    assert again.is_connected()
    for client in (again, other):
        client.disconnect()
        client.loop_stop()
    door.revoke()
    assert eventually(lambda: not refused(Paper(door, pem))), "a list that names it no more lets it in again"


def test_no_session_is_resumed_past_the_list(door: Door) -> None:
    pem = door.issue("one")
    context = Paper(door, pem).context
    with context.wrap_socket(socket.create_connection(("localhost", door.listeners.cert), 5), server_hostname="localhost") as first:
        first.sendall(b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x0a\x00\x03one")
        assert first.recv(4) == b"\x20\x02\x00\x00"
        assert first.version() == "TLSv1.3"
        assert first.session is None or not first.session.has_ticket


def test_what_our_authority_did_not_sign_stays_outside(door: Door, tmp_path: Path) -> None:
    assert refused(Paper(door, door.issue("one", device_authority.ensure(tmp_path))))
    root = (authority.load(door.home.tls / "ca.pem"), authority.load_key(door.home.tls / "ca.key"))
    assert refused(Paper(door, door.issue("one", root))), "nor does the root of our own servers"
