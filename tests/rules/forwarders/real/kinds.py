"""Which real server each kind of forwarder meets; quick ones first, while the slow ones still start."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tests.rules.forwarders.contract import Counterpart

from .brokers import Mosquitto, Nats, Rabbitmq, Valkey
from .databases import S3, Clickhouse, Influxdb, Mariadb, Postgresql
from .java_servers import MISSING, Kafka, MockKafka, Rocketmq
from .process import tree


class Real(Counterpart, Protocol):
    def maker(self) -> str:
        """Its name and version, where it can by its own words."""
        ...


SERVERS: dict[str, Callable[[Path], Real]] = {
    "mqtt": Mosquitto,
    "redis": Valkey,
    "postgresql": Postgresql,
    "nats": Nats,
    "s3": S3,
    "influxdb": Influxdb,
    "mysql": Mariadb,
    "rabbitmq": Rabbitmq,
    "kafka": MockKafka if MISSING else Kafka,
}
ELSEWHERE = {"http", "log"}  # http: tests/rules/forwarders/test_http_contract.py; log: has no other side
UNMET: dict[str, str] = {}
"""Kinds for which no server can be had here, and why."""

if MISSING:
    UNMET["rocketmq"] = MISSING
else:
    SERVERS["rocketmq"] = Rocketmq
if any(tree().glob("usr/sbin/clickhouse-server")):
    SERVERS["clickhouse"] = Clickhouse
else:
    UNMET["clickhouse"] = "this release of the system has no package of it"


def mine(kinds: list[str], worker: int, workers: int) -> list[str]:
    """Of all kinds those whose server this process has: every so manieth, so that slow and quick ones are mixed."""
    return kinds[worker::workers]
