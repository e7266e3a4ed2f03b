"""Commands to a thousand devices: from the row to the device and back, through broker, worker and database.

Two passes: at `--rate`, which asks whether the platform keeps up, and at half of it, which gives the latencies. A
command counts from the moment before its row is written until the commit of the reply that ends it (PostgreSQL keeps
the times of commits). The sender queues what is due every five milliseconds with one call of `send_all`.
"""

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import psycopg

from bench import platform
from tests.services import Services, eventually

MODEL = {"commands": [{"key": "blink", "params": [{"key": "n", "type": "number"}]}]}
FIGURES = """
    SELECT count(*), count(*) FILTER (WHERE state = 'succeeded'), min(created_at), max(pg_xact_commit_timestamp(xmin)),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY pg_xact_commit_timestamp(xmin) - created_at),
           percentile_cont(0.95) WITHIN GROUP (ORDER BY pg_xact_commit_timestamp(xmin) - created_at),
           percentile_cont(0.99) WITHIN GROUP (ORDER BY pg_xact_commit_timestamp(xmin) - created_at),
           max(attempts)
    FROM devices_command
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=2000, help="commands/s of the first pass; the second has half of it")
    parser.add_argument("--seconds", type=float, default=10)


def run(options: argparse.Namespace) -> dict[str, Any]:
    with platform.running() as services:
        keys = list(platform.make_devices(services, options.devices, ["p0"]))
        teach(services)
        job = {"port": services.mqtt_port, "secret": platform.SECRET, "keys": keys}
        with subprocess.Popen([sys.executable, "-m", "bench.obey"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as devices:
            assert devices.stdin is not None and devices.stdout is not None
            devices.stdin.write(json.dumps(job).encode())
            devices.stdin.close()
            devices.stdout.readline()
            try:
                with psycopg.connect(services.database_url, autocommit=True) as database:
                    eventually(lambda: online(database) >= options.devices, 60)
                    one_pass(services, database, options.rate / 4, 3)  # everything has been loaded once
                    full = one_pass(services, database, options.rate, options.seconds)
                    half = one_pass(services, database, options.rate / 2, options.seconds)
            finally:
                devices.terminate()
    return {
        "commands_per_s": full["per_s"],
        "offered_per_s": options.rate,
        "devices": options.devices,
        **{name: half[name] for name in ("p50_ms", "p95_ms", "p99_ms")},
        "p99_ms_at_full_rate": full["p99_ms"],
        "worker_cpu_us_per_command": full["worker_cpu_us"],
        "lost": full["lost"] + half["lost"],
        "sent_twice": full["twice"] + half["twice"],
    }


def teach(services: Services) -> None:
    """Give the product a command, and the devices of one tenant no rate limit that the bench would run into."""
    script = f"from devices.models import Product; Product.objects.filter(key='bench').update(thing_model={MODEL!r})"
    platform.manage(services, "shell", "-v", "0", "-c", script)


def online(database: psycopg.Connection[Any]) -> int:
    row = database.execute("SELECT count(*) FROM devices_devicepresence WHERE online").fetchone()
    return int(row[0]) if row else 0


def one_pass(services: Services, database: psycopg.Connection[Any], rate: float, seconds: float) -> dict[str, Any]:
    database.execute("TRUNCATE devices_command CASCADE")
    pid = services.pid("uplink")
    before = platform.cpu_seconds(pid)
    script = f"from bench.sender import main; main({rate!r}, {seconds!r})"
    platform.manage(services, "shell", "-v", "0", "-c", script)
    wait_for_end(database)
    cpu = platform.cpu_seconds(pid) - before
    row = database.execute(FIGURES).fetchone()
    assert row is not None
    made, succeeded, first, last, *quantiles, attempts = row
    return {
        "per_s": round(succeeded / (last - first).total_seconds()) if succeeded else 0,
        **{name: round(each.total_seconds() * 1000, 1) for name, each in zip(("p50_ms", "p95_ms", "p99_ms"), quantiles, strict=True)},
        "lost": made - succeeded,
        "twice": max(0, attempts - 1),
        "worker_cpu_us": round(cpu / max(1, made) * 1e6, 1),
    }


def wait_for_end(database: psycopg.Connection[Any]) -> None:
    until = time.monotonic() + 60
    query = "SELECT count(*) FROM devices_command WHERE finished_at IS NULL"
    while time.monotonic() < until and database.execute(query).fetchone()[0]:  # type: ignore[index]
        time.sleep(0.2)
