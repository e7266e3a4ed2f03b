"""What is looked up only when somebody asks for `/metrics`: the state of the store, the disk, the fleet, the processes."""

import shutil
import time
from collections import Counter
from collections.abc import Iterator

import redis
import structlog
from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db.models import Count
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from devices.models import Device
from iotpanel import figures, metrics
from rules.delivery import figures as waiting
from telemetry.models import RollupFrontier

log = structlog.get_logger(__name__)


def registry() -> CollectorRegistry:
    """Every process's metrics and what follows, ready to be written out. Without Valkey only this process's own."""
    try:
        processes = figures.everyone()
        answers = 1.0
    except redis.RedisError as error:
        log.warning("figures_unknown", error=str(error))
        processes, answers = {figures.name_of("web"): figures.own()}, 0.0
    everyone = figures.registry_of(processes)
    everyone.register(Looked(processes, answers))
    return everyone


class Looked(Collector):
    def __init__(self, processes: dict[str, list[figures.Family]], cache_up: float) -> None:
        self._processes = processes
        self._cache_up = cache_up

    def collect(self) -> Iterator[Metric]:
        yield metrics.CACHE_UP.of(self._cache_up)
        yield from _processes(self._processes)
        yield from _disk()
        try:
            families = [*_fleet(), *_rollups(), *waiting.families()]
        except DatabaseTrouble as error:
            log.warning("database_not_scraped", error=str(error))
            families = []
        yield metrics.DATABASE_UP.of(1.0 if families else 0.0)
        yield from families


def _processes(processes: dict[str, list[figures.Family]]) -> Iterator[Metric]:
    family = metrics.PROCESSES.family()
    for role, number in Counter(figures.role_of(name) for name in processes).items():
        family.add_metric([role], number)
    yield family


def _disk() -> Iterator[Metric]:
    try:
        usage = shutil.disk_usage(settings.IOTPANEL_HOME)
    except OSError as error:
        log.warning("disk_unknown", error=str(error))
        return
    yield metrics.DISK_FREE.of(usage.free)
    yield metrics.DISK_TOTAL.of(usage.total)


def _fleet() -> Iterator[Metric]:
    family = metrics.DEVICES.family()
    for state, devices in (
        ("online", Device.objects.online()),
        ("offline", Device.objects.offline()),
        ("never_seen", Device.objects.never_seen()),
    ):
        family.add_metric([state], devices.aggregate(number=Count("pk"))["number"])
    yield family


def _rollups() -> Iterator[Metric]:
    frontier = RollupFrontier.objects.first()
    if frontier is not None:
        lag = max(0.0, time.time() - frontier.rolled_up_to.timestamp())
        yield metrics.ROLLUP_LAG.of(lag)
