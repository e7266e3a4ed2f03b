"""The broker as we configure it: who may sign in where, who may say what, who is thrown out."""

import time
from collections.abc import Iterator
from signal import SIGHUP

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from iotpanel.local.home import Home, write_private
from iotpanel.local.mosquitto import WORKER, Mosquitto, hash_line
from iotpanel.local.ports import free_port
from iotpanel.local.supervisor import Supervisor
from iotpanel.local.tree import Tree
from tests.services import eventually

SECRET = "a-secret-of-a-device"
MEGABYTE = 1_048_576


class Broker:
    """A Mosquitto with two devices, ``one`` and ``two``, and what its clients have seen."""

    def __init__(self, home: Home, tree: Tree) -> None:
        self.settings = Mosquitto(tree, home, "127.0.0.1", "127.0.0.1", free_port(), free_port())
        self.accounts = {"one": hash_line(SECRET), "two": hash_line(SECRET)}
        self.passwords = home.broker / "passwords"
        self.secret = home.secret("broker")
        self.supervisor = Supervisor(home)
        self.clients: list[Client] = []
        self.settings.prepare()
        self.write()
        self.supervisor.start(self.settings.part())

    def write(self) -> None:
        ours = (self.passwords.with_name("ours-passwords")).read_text()
        write_private(self.passwords, ours + "".join(f"{name}:{line}\n" for name, line in self.accounts.items()))

    def reload(self) -> None:
        self.write()
        self.supervisor.running["mosquitto"].process.send_signal(SIGHUP)

    def client(self, name: str, secret: str = SECRET, *, worker_port: bool = False, client_id: str = "") -> "Client":
        port = self.settings.worker_port if worker_port else self.settings.port
        client = Client(name, secret, port, client_id)
        self.clients.append(client)
        return client

    def worker(self) -> "Client":
        return self.client(WORKER, self.secret, worker_port=True)

    def close(self) -> None:
        for client in self.clients:
            client.paho.disconnect()
            client.paho.loop_stop()
        self.supervisor.stop()


class Client:
    """An MQTT client that keeps everything it is told."""

    def __init__(self, name: str, secret: str, port: int, client_id: str) -> None:
        self.answers: list[str] = []
        self.seen: list[tuple[str, bytes]] = []
        self.paho = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, reconnect_on_failure=False)
        self.paho.username_pw_set(name, secret)
        self.paho.on_connect = lambda client, data, flags, reason, properties: self.answers.append(str(reason))
        self.paho.on_message = lambda client, data, message: self.seen.append((message.topic, bytes(message.payload)))
        self.paho.connect("127.0.0.1", port)
        self.paho.loop_start()
        eventually(lambda: self.answers)

    @property
    def accepted(self) -> bool:
        return self.answers == ["Success"]

    def publish(self, topic: str, payload: bytes = b"1") -> None:
        """Publish at QoS 1 and wait for the broker's word."""
        self.paho.publish(topic, payload, qos=1).wait_for_publish(10)

    def subscribe(self, topic: str) -> None:
        granted: list[object] = []
        self.paho.on_subscribe = lambda client, data, mid, reasons, properties: granted.append(reasons)
        self.paho.subscribe(topic, qos=1)
        eventually(lambda: granted)


@pytest.fixture
def broker(home: Home, tree: Tree) -> Iterator[Broker]:
    made = Broker(home, tree)
    yield made
    made.close()


def test_a_device_signs_in_with_its_own_secret_only(broker: Broker) -> None:
    assert broker.client("one").accepted
    assert broker.client("one", "wrong").answers == ["Not authorized"]
    assert broker.client("nobody").answers == ["Not authorized"]
    assert broker.client("", "").answers == ["Not authorized"]


def test_a_device_on_the_workers_listener_still_has_its_own_topics_only(broker: Broker) -> None:
    worker, intruder = broker.worker(), broker.client("one", worker_port=True)
    intruder.subscribe("#")
    intruder.subscribe("$SYS/#")

    intruder.publish("devices/two/up/telemetry", b"forged")
    broker.client("two").publish("devices/two/up/telemetry", b"true")
    worker.publish("devices/one/down/commands/1", b"yours")

    eventually(lambda: intruder.seen)
    assert intruder.seen == [("devices/one/down/commands/1", b"yours")]


def test_the_name_of_our_session_is_a_secret(broker: Broker, home: Home) -> None:
    assert home.secret("broker-session") in broker.settings.client_id
    assert broker.settings.client_id != broker.settings.url
    assert home.secret_file("broker-session").stat().st_mode & 0o777 == 0o600


def test_a_foreign_topic_is_acknowledged_and_dropped_and_the_connection_stays(broker: Broker) -> None:
    worker, one = broker.worker(), broker.client("one")
    worker.subscribe("devices/+/up/#")

    for _ in range(5):
        one.publish("devices/two/up/telemetry", b"forged")
    one.publish("devices/one/up/telemetry", b"true")

    eventually(lambda: worker.seen)
    assert worker.seen == [("devices/one/up/telemetry", b"true")]
    assert one.paho.is_connected()


def test_a_device_hears_only_its_own_downlink(broker: Broker) -> None:
    worker, one = broker.worker(), broker.client("one")
    one.subscribe("devices/#")

    worker.publish("devices/two/down/commands/1", b"secret")
    worker.publish("devices/two/up/telemetry", b"secret")
    worker.publish("devices/one/down/commands/2", b"yours")

    eventually(lambda: one.seen)
    assert one.seen == [("devices/one/down/commands/2", b"yours")]


def test_nobody_can_push_another_device_out_by_its_client_id(broker: Broker) -> None:
    one = broker.client("one", client_id="one")

    two = broker.client("two", client_id="one")

    assert two.accepted
    time.sleep(0.3)
    assert one.paho.is_connected()


def test_a_revoked_device_is_thrown_out_and_the_others_stay(broker: Broker) -> None:
    one, two, worker = broker.client("one"), broker.client("two"), broker.worker()

    del broker.accounts["one"]
    broker.reload()

    eventually(lambda: not one.paho.is_connected(), seconds=10)
    assert two.paho.is_connected()
    assert worker.paho.is_connected()
    assert broker.client("one").answers == ["Not authorized"]


def test_a_rotated_secret_ends_the_old_session(broker: Broker) -> None:
    one = broker.client("one")

    broker.accounts["one"] = hash_line("a-new-secret")
    broker.reload()

    eventually(lambda: not one.paho.is_connected(), seconds=10)
    assert broker.client("one", "a-new-secret").accepted


def test_a_new_account_works_after_a_reload(broker: Broker) -> None:
    broker.accounts["three"] = hash_line(SECRET)
    broker.reload()

    eventually(lambda: broker.client("three").accepted)


def test_a_megabyte_passes_and_more_ends_the_connection(broker: Broker) -> None:
    worker, one = broker.worker(), broker.client("one")
    worker.subscribe("devices/+/up/#")

    one.publish("devices/one/up/raw", b"x" * MEGABYTE)
    eventually(lambda: worker.seen)
    assert len(worker.seen[0][1]) == MEGABYTE

    one.paho.publish("devices/one/up/raw", b"x" * (MEGABYTE + 5000), qos=1)
    eventually(lambda: not one.paho.is_connected())
    assert len(worker.seen) == 1


def test_the_worker_reads_who_comes_and_goes(broker: Broker) -> None:
    worker = broker.worker()
    worker.subscribe("$SYS/broker/log/N")

    one = broker.client("one")
    one.paho.disconnect()

    def said() -> str:
        return "\n".join(payload.decode() for _, payload in worker.seen)

    eventually(lambda: "Client one disconnected" in said())
    assert "as one (" in said()


class Session:
    """The uplink's persistent session, as the uplink worker opens it."""

    def __init__(self, broker: Broker) -> None:
        self.got: list[bytes] = []
        self.port = broker.settings.worker_port
        self.paho = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=broker.settings.client_id, clean_session=False)
        self.paho.username_pw_set(WORKER, broker.secret)
        self.paho.on_message = lambda client, data, message: self.got.append(bytes(message.payload))

    def open(self) -> None:
        granted: list[object] = []
        self.paho.on_subscribe = lambda client, data, mid, reasons, properties: granted.append(reasons)
        self.paho.on_connect = lambda client, *_: client.subscribe("devices/+/up/#", qos=1)
        self.paho.connect("127.0.0.1", self.port)
        self.paho.loop_start()
        eventually(lambda: granted)

    def close(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()


@pytest.mark.parametrize("restart", [False, True], ids=["broker stays", "broker restarts"])
def test_what_arrives_while_the_worker_is_away_waits_for_it(broker: Broker, restart: bool) -> None:
    session = Session(broker)
    session.open()
    session.close()
    one = broker.client("one")
    for number in range(3000):
        one.paho.publish("devices/one/up/telemetry", str(number), qos=1)
    one.publish("devices/one/up/telemetry", b"last")

    if restart:
        broker.supervisor.start(broker.supervisor.stop_part("mosquitto"))
    session.open()

    eventually(lambda: b"last" in session.got)
    session.close()
    assert session.got == [*(str(number).encode() for number in range(3000)), b"last"]


def test_the_devices_files_are_begun_and_then_left_alone(broker: Broker, home: Home) -> None:
    before = broker.passwords.read_text()

    broker.settings.prepare()

    assert broker.passwords.read_text() == before
    assert (home.broker / "acl").read_text().count("pattern") == 2
