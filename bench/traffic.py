"""What several benches do: send a load, wait until it is stored, and read from the database when each message was committed."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from bench import platform
from tests.services import Services, eventually

FIGURES = """
    SELECT count(*), extract(epoch FROM max(pg_xact_commit_timestamp(xmin)) - min(at)),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY pg_xact_commit_timestamp(xmin) - at),
           percentile_cont(0.99) WITHIN GROUP (ORDER BY pg_xact_commit_timestamp(xmin) - at)
    FROM {table} {where}
"""


def send(
    services: Services, options: argparse.Namespace, ids: dict[str, int], properties: list[str], *, begin: bool = False
) -> dict[str, Any]:
    """Send as the options say; what was sent, after a first message of each device where it is to `begin` with one."""
    job = {
        "begin": begin,
        "host": "127.0.0.1",
        "port": services.mqtt_port,
        "secret": platform.SECRET,
        "keys": list(ids),
        "properties": properties,
        "seconds": options.seconds,
        "rate": options.rate,
        "qos": options.qos,
        "burst": 1 if options.rate else 4,
    }
    answer = subprocess.run([sys.executable, "-m", "bench.load"], input=json.dumps(job), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def settle(database: psycopg.Connection[Any], table: str, wanted: int) -> None:
    """Wait until everything is stored, or nothing more comes."""
    last, since = -1, time.monotonic()
    while last < wanted and time.monotonic() - since < 30:
        time.sleep(0.2)
        count = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # type: ignore[index]
        if count != last:
            last, since = count, time.monotonic()


def measure(database: psycopg.Connection[Any], table: str, where: str = "", parameters: Sequence[Any] = ()) -> dict[str, Any]:
    """Messages, their rate from the first publish to the last commit, and the time from publish to commit."""
    row = database.execute(FIGURES.format(table=table, where=where), parameters or None).fetchone()
    assert row is not None
    stored, seconds, p50, p99 = row
    return {
        "stored": stored,
        "messages_per_s": round(stored / float(seconds)) if stored else 0,
        "p50_ms": round(p50.total_seconds() * 1000, 1) if stored else None,
        "p99_ms": round(p99.total_seconds() * 1000, 1) if stored else None,
    }


def forget_session(services: Services, client_id: str) -> None:
    """End a persistent session, so that the broker stops queueing for it."""
    worker = urlsplit(services.environment["MQTT_URL"])
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id, clean_session=True, protocol=paho.MQTTv311)
    client.username_pw_set(worker.username, worker.password)
    done: list[Any] = []
    client.on_connect = lambda *arguments: done.append(arguments)
    client.connect("127.0.0.1", worker.port or 1883)
    client.loop_start()
    eventually(lambda: bool(done), 5)
    client.disconnect()
    client.loop_stop()
