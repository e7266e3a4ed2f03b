"""Brings the metrics of all processes together: each puts its own into Valkey, the web port's page shows them all.

A process that is gone disappears within seconds. Its last entry may be counted beside its successor's until then,
which Prometheus sees as a counter that was reset, as it would without us.
"""

import os
import socket
import threading
from collections.abc import Iterable, Iterator
from typing import cast

import orjson
import redis
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from iotpanel import metrics
from iotpanel.valkey import PREFIX, client

PROCESSES = f"{PREFIX}figures"  # a set of names
EVERY = 2.0  # seconds between two reports of a process
LIFETIME = 10  # seconds that one lives
TAKES_UPLINKS = ("uplink", "web")
log = structlog.get_logger(__name__)

Sample = tuple[str, dict[str, str], float]
Family = tuple[str, str, str, list[Sample]]


class Reporter:
    """Puts this process's figures into Valkey every two seconds, under its role: web, uplink, tasks or beat."""

    def __init__(self, role: str) -> None:
        self.name = name_of(role)
        # The uplink's counters begin at zero where uplinks can come in; elsewhere they would only be noise.
        self._everything = role in TAKES_UPLINKS
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._report_forever, name="figures", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take the figures back and end."""
        self._stopping.set()
        self._thread.join(timeout=5)
        try:
            with client().pipeline(transaction=False) as pipe:
                pipe.delete(_entry(self.name))
                pipe.srem(PROCESSES, self.name)
                pipe.execute()
        except redis.RedisError as error:
            log.warning("figures_not_removed", error=str(error))

    def report(self) -> None:
        """Once, now. Raises redis.RedisError."""
        with client().pipeline(transaction=False) as pipe:
            families = [family for family in own() if self._everything or any(number for _, _, number in family[3])]
            pipe.set(_entry(self.name), orjson.dumps(families), ex=LIFETIME)
            pipe.sadd(PROCESSES, self.name)
            pipe.execute()

    def _report_forever(self) -> None:
        while True:
            try:
                self.report()
            except Exception as error:  # mostly redis.RedisError; without figures the process would count as gone
                log.warning("figures_not_reported", error=str(error))
            if self._stopping.wait(EVERY):
                return


def name_of(role: str) -> str:
    """This process's name in a role."""
    return f"{role}@{socket.gethostname()}:{os.getpid()}"


def everyone() -> dict[str, list[Family]]:
    """What all processes reported, and what this one, which serves the web, counts right now. Raises redis.RedisError."""
    return reported() | {name_of("web"): own()}


def own() -> list[Family]:
    """This process's metrics as plain data."""
    return [
        (family.name, family.type, family.documentation, [(sample.name, sample.labels, sample.value) for sample in family.samples])
        for family in metrics.REGISTRY.collect()
    ]


def reported() -> dict[str, list[Family]]:
    """Every process's figures by its name, `role@host:pid`. Raises redis.RedisError."""
    names = sorted(str(name, "utf-8") for name in cast(set[bytes], client().smembers(PROCESSES)))
    if not names:
        return {}
    entries = dict(zip(names, client().mget([_entry(name) for name in names]), strict=True))
    if gone := [name for name, entry in entries.items() if entry is None]:
        client().srem(PROCESSES, *gone)
    return {name: orjson.loads(entry) for name, entry in entries.items() if entry is not None}


def role_of(name: str) -> str:
    return name.partition("@")[0]


def value(processes: dict[str, list[Family]], role: str, sample: str, **labels: str) -> float | None:
    """The sum of one sample over the processes of a role; None where none has it."""
    found = [
        number
        for name, families in processes.items()
        if role_of(name) == role
        for _, _, _, samples in families
        for each, its, number in samples
        if each == sample and its.items() >= labels.items()
    ]
    return sum(found) if found else None


class Everyone(Collector):
    """All processes' metrics as one collector; those with equal labels are summed, `process` tells the roles apart."""

    def __init__(self, processes: dict[str, list[Family]]) -> None:
        self._processes = processes

    def collect(self) -> Iterator[Metric]:
        merged: dict[str, tuple[Metric, dict[tuple[str, tuple[tuple[str, str], ...]], float]]] = {}
        for name, families in self._processes.items():
            for family, kind, text, samples in families:
                _, numbers = merged.setdefault(family, (Metric(family, text, kind), {}))
                for slot, number in _labelled(role_of(name), samples):
                    numbers[slot] = numbers.get(slot, 0) + number
        for metric, numbers in merged.values():
            for (sample, labels), number in numbers.items():
                metric.add_sample(sample, dict(labels), number)
            yield metric


def _labelled(role: str, samples: Iterable[Sample]) -> Iterator[tuple[tuple[str, tuple[tuple[str, str], ...]], float]]:
    for name, labels, number in samples:
        yield (name, (("process", role), *labels.items())), number


def registry_of(processes: dict[str, list[Family]]) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(Everyone(processes))
    return registry


def _entry(name: str) -> str:
    return f"{PREFIX}figures:{name}"
