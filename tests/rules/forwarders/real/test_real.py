"""The forwarders' contract against real servers: `make test-forwarders`."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rules.forwarders import FORWARDERS
from tests.rules.forwarders.contract import Counterpart, ForwarderContract

from .brokers import Mosquitto, Nats, Rabbitmq, Valkey
from .databases import S3, Clickhouse, Influxdb, Mariadb, Postgresql
from .java_servers import Kafka, MockKafka, Rocketmq, is_there
from .process import Process, tree

SERVERS: dict[str, Callable[[Path], Counterpart]] = {
    "mqtt": Mosquitto,
    "redis": Valkey,
    "postgresql": Postgresql,
    "nats": Nats,
    "rabbitmq": Rabbitmq,
    "mysql": Mariadb,
    "influxdb": Influxdb,
    "s3": S3,
    "kafka": Kafka if is_there() else MockKafka,
}
if is_there():
    SERVERS["rocketmq"] = Rocketmq
if any(tree().glob("usr/sbin/clickhouse-server")):
    SERVERS["clickhouse"] = Clickhouse
ELSEWHERE = {"http", "log"}  # http: tests/rules/forwarders/test_http_contract.py; log: has no other side


@pytest.fixture(scope="class", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counterpart]:
    """One server at a time, for all tests of its kind."""
    found = SERVERS[request.param](tmp_path_factory.mktemp("servers") / request.param)
    found.start()
    yield found
    found.stop()
    for each in vars(found).values():
        if isinstance(each, Process):
            each.stop()


@pytest.fixture
def counterpart(server: Counterpart) -> Counterpart:
    return server


class TestReal(ForwarderContract):
    pass


def test_every_kind_has_met_a_real_server_or_says_that_it_is_experimental() -> None:
    unmet: dict[str, Any] = {kind: FORWARDERS[kind] for kind in FORWARDERS.keys() - SERVERS.keys() - ELSEWHERE}
    for kind in unmet:
        warnings.warn(f"no server for {kind} could be had on this machine: it was not tested", stacklevel=1)
    if not is_there():
        warnings.warn("kafka was tested on librdkafka's mock cluster, and not on a real Kafka", stacklevel=1)
    assert set(unmet) <= {"rocketmq", "clickhouse"}
