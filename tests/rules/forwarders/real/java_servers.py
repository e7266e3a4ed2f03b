"""Kafka and RocketMQ, real ones, where Java and Maven are there: `iotpanel/local/jars.py`.

Without them Kafka is librdkafka's own mock cluster, and the end of the run says so; RocketMQ is then not tested, and it says that.
"""

import os
import shutil
import signal
import struct
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import confluent_kafka
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # it is there, but not in __all__

from iotpanel.local.ports import free_port
from rules.forwarders.rocketmq import NEW_TOPICS
from rules.forwarders.rocketmq_wire import Peer, route
from rules.outside.errors import Down
from tests.rules.forwarders.contract import Received
from tests.services import eventually

from .brokers import pair
from .process import Process, listens

PASSWORD = "right-password"
MISSING = os.environ.get("IOTPANEL_JARS_MISSING", "")
"""Why there are no jars, if there are none."""


def jars(name: str) -> Path:
    return Path(os.environ["IOTPANEL_JARS"]) / name


def version(name: str, jar: str) -> str:
    """Of the server, by the name of its jar."""
    return next(jars(name).glob(f"{jar}-[0-9]*.jar")).stem.removeprefix(f"{jar}-")


def java(folder: Path, *arguments: str) -> tuple[str, ...]:
    return (str(shutil.which("java")), "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{folder}/*", *arguments)


class Kafka:
    kind, secret = "kafka", "password"

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        inner, controller, folder = free_port(), free_port(), jars("kafka")
        home.mkdir(parents=True)
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        (home / "server.properties").write_text(f"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=CLIENT://127.0.0.1:{self.port},INNER://127.0.0.1:{inner},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=CLIENT://127.0.0.1:{self.port},INNER://127.0.0.1:{inner}
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=INNER
controller.listener.names=CONTROLLER
sasl.enabled.mechanisms=PLAIN
listener.name.client.plain.sasl.jaas.config={login} user_us="{PASSWORD}";
log.dirs={home}/data
num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
""")
        # What kafka-storage.sh writes; it would be one more Java machine to start.
        (home / "data").mkdir()
        cluster, directory = (urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=") for _ in range(2))
        (home / "data/meta.properties").write_text(f"version=1\nnode.id=1\ncluster.id={cluster}\ndirectory.id={directory}\n")
        argv = java(folder, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "kafka.Kafka", str(home / "server.properties"))
        self.process = Process("kafka", home, argv, listens(self.port))

    def start(self) -> None:
        """It listens before it serves."""
        self.process.start()
        admin = AdminClient(self.client() | {"log_level": 0})
        topics = admin.list_topics(timeout=120).topics
        if "readings" not in topics:
            admin.create_topics([NewTopic("readings", 1, 1)])["readings"].result(120)

    def stop(self) -> None:
        self.process.stop()

    def maker(self) -> str:
        return f"Apache Kafka {version('kafka', 'kafka_2.13')}"

    def settings(self) -> dict[str, Any]:
        return {"servers": f"127.0.0.1:{self.port}", "topic": "readings", "username": "us", "password": PASSWORD}

    def client(self) -> dict[str, Any]:
        signed = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "us", "sasl.password": PASSWORD}
        return signed | {"bootstrap.servers": f"127.0.0.1:{self.port}"}

    def received(self) -> Received:
        """Everything in the topic, by time: a device's messages are in one partition, and the mock cluster makes several."""
        consumer = Consumer(self.client() | {"group.id": "test", "enable.auto.commit": False, "auto.offset.reset": "earliest"})
        try:
            if (topic := consumer.list_topics(timeout=20).topics.get("readings")) is None:
                return []
            places = [TopicPartition("readings", number, 0) for number in topic.partitions]
            end = sum(consumer.get_watermark_offsets(place, timeout=20)[1] for place in places)
            consumer.assign(places)
            found: list[tuple[int, int, int, bytes]] = []
            until = time.monotonic() + 60
            while len(found) < end and time.monotonic() < until:
                told = [each for each in consumer.consume(500, 0.5) if not each.error()]
                found += [(each.timestamp()[1], each.partition() or 0, each.offset() or 0, each.value() or b"") for each in told]
            return [pair(body) for *_, body in sorted(found)]
        finally:
            consumer.close()


class MockKafka(Kafka):
    """Not a real Kafka: librdkafka's mock cluster in a process of its own. An outage is a process that is held."""

    secret = ""

    def maker(self) -> str:
        return f"NO REAL KAFKA ({MISSING}): librdkafka's mock cluster {confluent_kafka.libversion()[0]}"

    def __init__(self, home: Path) -> None:
        code = (
            "import time; from confluent_kafka import Producer\n"
            "producer = Producer({'test.mock.num.brokers': 1, 'bootstrap.servers': ''})\n"
            "broker = next(iter(producer.list_topics(timeout=10).brokers.values()))\n"
            "print(f'port={broker.port}', flush=True)\n"
            "while True: time.sleep(1)\n"
        )
        self.process = Process("mock-kafka", home, (sys.executable, "-c", code), lambda: "port=" in self.process.log.read_text())

    def start(self) -> None:
        if self.process.running is None:
            self.process.start()
            self.port = int(self.process.log.read_text().split("port=")[1].split()[0])
        self.process.running.send_signal(signal.SIGCONT)  # type: ignore[union-attr]

    def stop(self) -> None:
        self.process.running.send_signal(signal.SIGSTOP)  # type: ignore[union-attr]

    def client(self) -> dict[str, Any]:
        return {"bootstrap.servers": f"127.0.0.1:{self.port}"}

    def settings(self) -> dict[str, Any]:
        return {"servers": f"127.0.0.1:{self.port}", "topic": "readings"}


class Rocketmq:
    kind, secret = "rocketmq", ""

    def __init__(self, home: Path) -> None:
        folder, self.names, self.port = jars("rocketmq"), free_port(), free_port()
        home.mkdir(parents=True)
        env = {"ROCKETMQ_HOME": str(home), "JAVA_TOOL_OPTIONS": f"-Duser.home={home}"}
        (home / "names.conf").write_text(f"listenPort={self.names}\nkvConfigPath={home}/kv.json\n")
        start = java(folder, "org.apache.rocketmq.namesrv.NamesrvStartup", "-c", str(home / "names.conf"))
        self.name_server = Process("names", home, start, listens(self.names), env)
        (home / "broker.conf").write_text(f"""
brokerName=one
brokerIP1=127.0.0.1
listenPort={self.port}
haListenPort={free_port()}
namesrvAddr=127.0.0.1:{self.names}
storePathRootDir={home}/store
storePathCommitLog={home}/store/commitlog
mappedFileSizeCommitLog=16777216
mappedFileSizeConsumeQueue=600000
diskMaxUsedSpaceRatio=99
autoCreateTopicEnable=true
timerWheelEnable=false
registerNameServerPeriod=10000
""")  # its wheel of delayed messages, of which there are none, is half of what an idle broker costs
        exports: tuple[str, ...] = ("--add-exports", "java.base/sun.nio.ch=ALL-UNNAMED", "--add-opens", "java.base/java.nio=ALL-UNNAMED")
        exports += ("--add-opens", "java.base/sun.nio.ch=ALL-UNNAMED", "-XX:MaxDirectMemorySize=256m")
        start = java(folder, *exports, "org.apache.rocketmq.broker.BrokerStartup", "-c", str(home / "broker.conf"))
        self.broker = Process("broker", home, start, listens(self.port), env)

    def start(self) -> None:
        """Both at once: where the name server is the slower one, the broker tries again."""
        self.name_server.launch()
        self.broker.launch()
        self.name_server.await_ready()
        self.broker.await_ready()
        eventually(self._is_known, 120)

    def _is_known(self) -> bool:
        """The broker to the name server."""
        peer = Peer(f"127.0.0.1:{self.names}", None)
        try:
            return route(peer, NEW_TOPICS) is not None
        except Down:
            return False
        finally:
            peer.close()

    def stop(self) -> None:
        for each in (self.broker, self.name_server):
            each.running.send_signal(signal.SIGTERM)  # type: ignore[union-attr]
        self.broker.stop()
        self.name_server.stop()

    def maker(self) -> str:
        return f"Apache RocketMQ {version('rocketmq', 'rocketmq-broker')}"

    def settings(self) -> dict[str, Any]:
        return {"name_server": f"127.0.0.1:{self.names}", "topic": "readings"}

    def received(self) -> Received:
        """All queues of the topic, in the order of the broker's one log."""
        peer = Peer(f"127.0.0.1:{self.port}", None)
        try:
            found = [each for queue in range(4) for each in pulled(peer, queue)]
        finally:
            peer.close()
        return [pair(body) for _, body in sorted(found)]


def pulled(peer: Peer, queue: int) -> list[tuple[int, bytes]]:
    """(place in the log, body) of every message of a queue."""
    found: list[tuple[int, bytes]] = []
    while True:
        fields = {"consumerGroup": "test", "topic": "readings", "queueId": queue, "queueOffset": len(found), "maxMsgNums": 32}
        fields |= {
            "sysFlag": 4,
            "commitOffset": 0,
            "suspendTimeoutMillis": 0,
            "subscription": "*",
            "subVersion": 0,
            "expressionType": "TAG",
        }
        answer = peer.ask(11, fields)
        if answer.code != 0:
            return found
        data = answer.body
        while data:
            (size,) = struct.unpack(">i", data[:4])
            (place,) = struct.unpack(">q", data[28:36])
            (length,) = struct.unpack(">i", data[84:88])
            found.append((place, data[88 : 88 + length]))
            data = data[size:]
