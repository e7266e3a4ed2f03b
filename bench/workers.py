"""How throughput grows with uplink workers that share one subscription, and what happens to the order per device.

Each worker has a session of its own in one group (`IOTPANEL_MQTT_SHARE`), and the broker deals the messages out. Out of order is
a report that was committed before an earlier one of its device: what it costs is said in docs/performance.md.
"""

import argparse
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from bench import platform, traffic
from iotpanel.local import app
from tests.services import Services, eventually

GROUP = "bench"
DISORDER = """
    SELECT count(*) FILTER (WHERE committed < before), count(*) FROM (
        SELECT pg_xact_commit_timestamp(xmin) AS committed, max(pg_xact_commit_timestamp(xmin)) OVER (
            PARTITION BY device_id ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before FROM telemetry_report
    ) AS each
"""
# The newest report of each device against what the platform shows as its latest values.
STALE = """
    SELECT count(*) FROM (SELECT device_id, max(at) AS at FROM telemetry_report GROUP BY 1) AS newest
    JOIN telemetry_latest AS latest USING (device_id) WHERE latest.newest_at <> newest.at
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", default="1,2,4", help="numbers of workers to try")
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--properties", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--qos", type=int, default=1, choices=(0, 1))
    parser.add_argument("--rate", type=float, default=0, help="messages/s; 0: as fast as the broker takes them")


def run(options: argparse.Namespace) -> dict[str, Any]:
    properties = [f"p{number}" for number in range(options.properties)]
    with platform.running() as services:
        ids = platform.make_devices(services, options.devices, properties)
        services.stop("uplink")
        traffic.forget_session(services, services.environment["IOTPANEL_MQTT_CLIENT_ID"])
        found = {number: with_workers(services, options, ids, properties, number) for number in map(int, options.workers.split(","))}
    first = next(iter(found.values()))
    return {
        f"workers_{number}": {**each, "growth": round(each["messages_per_s"] / first["messages_per_s"], 2)}
        for number, each in found.items()
    }


def with_workers(
    services: Services, options: argparse.Namespace, ids: dict[str, int], properties: list[str], number: int
) -> dict[str, Any]:
    names = [f"iotpanel-bench-{number}-{each}" for each in range(number)]
    try:
        with workers(services, names), psycopg.connect(services.database_url, autocommit=True) as database:
            database.execute("TRUNCATE telemetry_report, telemetry_latest, telemetry_ledgerentry")
            sent = traffic.send(services, options, ids, properties)
            traffic.settle(database, "telemetry_report", sent["sent"])
            figures = traffic.measure(database, "telemetry_report")
            disorder, _ = database.execute(DISORDER).fetchone() or (0, 0)
            (stale,) = database.execute(STALE).fetchone() or (0,)
    finally:
        for name in names:
            traffic.forget_session(services, name)
    return {**figures, "lost": sent["acked"] - figures["stored"], "out_of_order": disorder, "stale_latest": stale}


@contextmanager
def workers(services: Services, names: list[str]) -> Iterator[None]:
    """Uplink workers with these sessions; one alone subscribes without a group."""
    with TemporaryDirectory(prefix="iotpanel-bench-workers-") as folder:
        logs = [Path(folder) / name for name in names]
        processes = [worker(services, name, log, alone=len(names) == 1) for name, log in zip(names, logs, strict=True)]
        try:
            for log in logs:
                eventually(lambda log=log: "mqtt_connected" in log.read_text(), 90)  # type: ignore[misc]
            time.sleep(2)
            yield
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(30)


def worker(services: Services, name: str, log: Path, *, alone: bool) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, **services.environment, "IOTPANEL_MQTT_CLIENT_ID": name}
    if not alone:
        environment["IOTPANEL_MQTT_SHARE"] = GROUP
    command = [*app.uplink(environment).argv]
    command[command.index("uplink@%h")] = f"{name}@%h"
    with log.open("wb") as stream:
        return subprocess.Popen(command, env=environment, stdout=stream, stderr=stream)
