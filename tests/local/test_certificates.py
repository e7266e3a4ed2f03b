"""`make certificates`, and the broker's doors with TLS and WebSocket: real clients through each of them."""

import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from iotpanel.local import authority, certificates, listeners
from iotpanel.local.config import from_environment
from iotpanel.local.home import Home, write_private
from iotpanel.local.listeners import Listeners
from iotpanel.local.mosquitto import Mosquitto, hash_line
from iotpanel.local.ports import free_port
from iotpanel.local.say import Trouble
from iotpanel.local.supervisor import Supervisor
from iotpanel.local.tree import Tree
from tests.services import eventually

SECRET = "a-secret-of-a-device"


def server(home: Home) -> Any:
    return authority.load(home.tls / "server.pem")


def ended(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a certificate that is in its last month."""
    monkeypatch.setattr(authority, "SERVER_DAYS", 20)
    certificates.ensure(home, ["old.example.org"], anew=True)
    monkeypatch.undo()


def test_the_command_makes_a_root_and_a_certificate_for_every_name(home: Home) -> None:
    command = [sys.executable, "-m", "iotpanel.local", "certificates", "panel.example.org", "192.0.2.7"]
    told = {"IOTPANEL_HOME": str(home.root), "IOTPANEL_MQTT_HOST": "mqtt.example.org", "IOTPANEL_ALLOWED_HOSTS": "*,web.example.org"}
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | told, check=False)

    assert done.returncode == 0, done.stderr
    wanted = {"panel.example.org", "192.0.2.7", "mqtt.example.org", "web.example.org", "localhost", "127.0.0.1", "::1"}
    assert wanted <= authority.names_of(server(home))
    assert "panel.example.org" in done.stdout + done.stderr
    assert certificates.is_ours(home)
    assert {path.stat().st_mode & 0o777 for path in home.tls.iterdir()} == {0o600}


def test_a_second_run_keeps_the_root_and_renews_the_certificate(home: Home) -> None:
    certificates.ensure(home, ["a.example.org"], anew=True)
    root, first = (home.tls / "ca.pem").read_text(), server(home)
    certificates.ensure(home, ["b.example.org"], anew=True)

    assert (home.tls / "ca.pem").read_text() == root
    assert server(home).serial_number != first.serial_number
    assert authority.names_of(server(home)) == {"b.example.org"}


def test_a_start_renews_what_ends_soon_with_its_names(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    ended(home, monkeypatch)
    certificates.ensure(home, ["localhost"])

    assert authority.names_of(server(home)) == {"old.example.org", "localhost"}
    assert server(home).not_valid_after_utc > datetime.now(UTC) + timedelta(days=300)


def test_a_start_leaves_alone_what_is_fresh_and_makes_none_by_itself(home: Home) -> None:
    certificates.ensure(home, ["localhost"])
    assert not home.tls.exists()
    certificates.ensure(home, ["a.example.org"], anew=True)
    before = server(home)
    certificates.ensure(home, ["other"])
    assert server(home) == before


def test_somebody_else_s_certificate_is_never_touched(home: Home, tmp_path: Path) -> None:
    home.tls.mkdir()
    theirs, key = authority.issue_server(authority.root(tmp_path, "theirs", "iotpanel root"), ["panel.example.org"])
    write_private(home.tls / "server.pem", authority.text_of(theirs))
    write_private(home.tls / "server.key", authority.private_text(key))

    certificates.ensure(home, ["localhost"])
    with pytest.raises(Trouble, match="signed by somebody else"):
        certificates.ensure(home, ["localhost"], anew=True)
    assert server(home) == theirs


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a\n", "-x", "*", "例子.cn", "a..b", "x" * 300, "DNS:a"])
def test_a_strange_name_is_refused(home: Home, name: str) -> None:
    with pytest.raises(Trouble, match="neither a host name"):
        certificates.ensure(home, [name], anew=True)


def asked(home: Home, **environ: str) -> Listeners:
    return listeners.choose(from_environment({"IOTPANEL_HOME": str(home.root), **environ}))


def test_without_a_certificate_nothing_opens(home: Home) -> None:
    assert asked(home).open == {}
    with pytest.raises(Trouble, match="make certificates"):
        asked(home, IOTPANEL_MQTTS_PORT=str(free_port()))


def test_plain_websocket_needs_no_certificate_but_has_to_be_asked_for(home: Home) -> None:
    port = free_port()
    assert asked(home, IOTPANEL_MQTT_WS_PORT=str(port)).open == {"ws": port}


def test_a_usual_port_that_is_taken_stays_closed_and_one_that_was_asked_for_is_trouble(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates.ensure(home, ["localhost"], anew=True)
    monkeypatch.setattr(listeners, "is_taken", lambda port, host: port == 8883)
    assert asked(home).open == {"wss": 8084, "cert": 8885}
    assert asked(home, IOTPANEL_MQTT_WSS_PORT="0").open == {"cert": 8885}

    monkeypatch.setattr("iotpanel.local.ports.is_taken", lambda port, host: True)
    with pytest.raises(Trouble, match="IOTPANEL_MQTTS_PORT"):
        asked(home, IOTPANEL_MQTTS_PORT="8883")


class Doors:
    """A broker with all its doors open, and a device ``one``."""

    def __init__(self, home: Home, tree: Tree) -> None:
        certificates.ensure(home, ["localhost", "127.0.0.1"], anew=True)
        self.home = home
        self.listeners = Listeners(home.tls, free_port(), free_port(), free_port())
        broker = Mosquitto(tree, home, "127.0.0.1", "127.0.0.1", free_port(), free_port(), listeners=self.listeners)
        broker.prepare()
        passwords = home.broker / "passwords"
        write_private(passwords, passwords.read_text() + f"one:{hash_line(SECRET)}\n")
        self.supervisor = Supervisor(home)
        self.supervisor.start(broker.part())
        self.clients: list[mqtt.Client] = []

    def connect(self, door: str, *, trust: Path | None = None, secret: str = SECRET) -> mqtt.Client:
        """A signed-in client. Raises ssl.SSLError for a broker that it cannot trust, ConnectionRefusedError where it is not let in."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="one", transport="websockets" if "ws" in door else "tcp")
        client.username_pw_set("one", secret)
        if door != "ws":
            client.tls_set(ca_certs=str(trust or self.home.tls / "ca.pem"))
        answers: list[str] = []
        client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.append(str(reason))
        client.connect("localhost", getattr(self.listeners, door))
        client.loop_start()
        self.clients.append(client)
        if eventually(lambda: answers)[0] != "Success":
            raise ConnectionRefusedError(answers[0])
        return client

    def close(self) -> None:
        for client in self.clients:
            client.disconnect()
            client.loop_stop()
        self.supervisor.stop()


@pytest.fixture
def doors(home: Home, tree: Tree) -> Iterator[Doors]:
    made = Doors(home, tree)
    yield made
    made.close()


@pytest.mark.parametrize("door", ["mqtts", "ws", "wss"])
def test_a_device_comes_in_by_each_door_with_its_secret_only(doors: Doors, door: str) -> None:
    client = doors.connect(door)
    heard: list[bytes] = []
    client.on_message = lambda _client, _data, message: heard.append(bytes(message.payload))
    client.subscribe("devices/one/down/#", 1)
    client.publish("devices/one/up/telemetry", b"{}", 1).wait_for_publish(5)
    client.publish("devices/one/down/commands/1", b"forged", 1).wait_for_publish(5)

    assert client.is_connected()
    assert heard == [], "the rules are the same behind every door"
    with pytest.raises(ConnectionRefusedError):
        doors.connect(door, secret="wrong")


@pytest.mark.parametrize("door", ["mqtts", "wss"])
def test_a_device_that_trusts_another_root_does_not_talk_to_us(doors: Doors, door: str, tmp_path: Path) -> None:
    authority.root(tmp_path, "other", "iotpanel root")
    with pytest.raises(ssl.SSLError):
        doors.connect(door, trust=tmp_path / "other.pem")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(doors: Doors) -> None:
    context = ssl.create_default_context(cafile=str(doors.home.tls / "ca.pem"))
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="one")
    client.tls_set_context(context)
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        client.connect("localhost", doors.listeners.mqtts)


def test_a_renewed_certificate_is_used_without_losing_a_connection(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    client = doors.connect("mqtts")

    def shown() -> str:
        return ssl.get_server_certificate(("localhost", doors.listeners.mqtts))

    before = shown()
    certificates.ensure(doors.home, ["localhost"], anew=True)
    doors.supervisor.running["mosquitto"].process.send_signal(1)

    eventually(lambda: shown() != before)
    assert client.is_connected()


def test_a_certificate_for_another_name_is_refused(doors: Doors) -> None:
    certificates.ensure(doors.home, ["elsewhere.example.org"], anew=True)
    doors.supervisor.running["mosquitto"].process.send_signal(1)

    def is_refused() -> bool:
        try:
            doors.connect("mqtts").disconnect()
        except ssl.SSLError as error:
            return "mismatch" in str(error)
        return False

    eventually(is_refused)
