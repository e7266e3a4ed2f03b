"""Readings from many devices through the real broker, worker and database; in turns with the bare loop.

Messages are published as fast as the broker takes them (or at --rate); the figure is messages divided by the time
from the first publish to the last commit. PostgreSQL keeps the time of each commit, so that publish to committed is
known for every message and for both alike.
"""

import argparse
import json
import subprocess
import sys
import time
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from bench import platform
from tests.services import Services, eventually

BARE_TABLES = """
    DROP SCHEMA IF EXISTS bare CASCADE;
    CREATE SCHEMA bare;
    CREATE TABLE bare.report (device_id bigint, at timestamptz, values jsonb NOT NULL, PRIMARY KEY (device_id, at));
    SELECT create_hypertable('bare.report', 'at', chunk_time_interval => interval '1 day', create_default_indexes => false);
    CREATE TABLE bare.latest (device_id bigint PRIMARY KEY, newest_at timestamptz, values jsonb) WITH (fillfactor = 50);
"""
FIGURES = """
    SELECT count(*), extract(epoch FROM max(pg_xact_commit_timestamp(xmin)) - min(at)),
           percentile_cont(0.5) WITHIN GROUP (ORDER BY pg_xact_commit_timestamp(xmin) - at),
           percentile_cont(0.99) WITHIN GROUP (ORDER BY pg_xact_commit_timestamp(xmin) - at)
    FROM {table}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--properties", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--qos", type=int, default=1, choices=(0, 1))
    parser.add_argument("--rate", type=float, default=0, help="messages/s; 0: as fast as the broker takes them")
    parser.add_argument("--runs", type=int, default=3)


def run(options: argparse.Namespace) -> dict[str, Any]:
    properties = [f"p{number}" for number in range(options.properties)]
    with platform.running() as services:
        ids = platform.make_devices(services, options.devices, properties)
        passes = [
            {**one_pass(services, options, ids, properties), **bare_pass(services, options, ids, properties)} for _ in range(options.runs)
        ]
    middle = sorted(passes, key=lambda each: each["messages_per_s"])[len(passes) // 2]
    ratio = median(each["messages_per_s"] / each["bare_messages_per_s"] for each in passes)
    return {
        **middle,
        "readings_per_s": round(middle["messages_per_s"] * options.properties),
        "ratio_to_bare": round(ratio, 3),
        "ratios": [round(each["messages_per_s"] / each["bare_messages_per_s"], 3) for each in passes],
        "lost": sum(each["lost"] for each in passes),
    }


def one_pass(services: Services, options: argparse.Namespace, ids: dict[str, int], properties: list[str]) -> dict[str, Any]:
    """The platform's turn."""
    with psycopg.connect(services.database_url, autocommit=True) as database:
        database.execute("TRUNCATE telemetry_report, telemetry_latest, telemetry_ledgerentry")
        pid = services.pid("uplink")
        before = platform.cpu_seconds(pid)
        sent = send(services, options, ids, properties)
        settle(database, "telemetry_report", sent["sent"])
        cpu = platform.cpu_seconds(pid) - before
        figures = measure(database, "telemetry_report")
    return {
        "messages_per_s": figures["messages_per_s"],
        "sent": sent["sent"],
        "send_messages_per_s": round(sent["sent"] / sent["seconds"]),
        "stored": figures["stored"],
        "lost": sent["acked" if options.qos else "sent"] - figures["stored"],
        "duplicates": max(0, figures["stored"] - sent["sent"]),
        "p50_ms": figures["p50_ms"],
        "p99_ms": figures["p99_ms"],
        "worker_cpu_us_per_message": round(cpu / max(1, figures["stored"]) * 1e6, 1),
        "worker_rss_mb": round(platform.rss_mb(pid), 1),
    }


def bare_pass(services: Services, options: argparse.Namespace, ids: dict[str, int], properties: list[str]) -> dict[str, Any]:
    """The bare loop's turn, on the same broker and database, with the platform's worker stopped."""
    services.stop("uplink")
    forget_session(services, "iotpanel-uplink")
    worker = urlsplit(services.environment["MQTT_URL"])
    job = {"ids": ids, "database": services.database_url, "port": worker.port, "user": worker.username, "password": worker.password}
    try:
        with psycopg.connect(services.database_url, autocommit=True) as database:
            database.execute(BARE_TABLES)
            process = subprocess.Popen([sys.executable, "-m", "bench.bare"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps(job).encode())
            process.stdin.close()
            process.stdout.readline()
            before = platform.cpu_seconds(process.pid)
            sent = send(services, options, ids, properties)
            settle(database, "bare.report", sent["sent"])
            cpu = platform.cpu_seconds(process.pid) - before
            figures = measure(database, "bare.report")
            process.terminate()
            process.wait(20)
    finally:
        forget_session(services, "bench-bare")
        services.start("uplink")
    return {
        "bare_messages_per_s": figures["messages_per_s"],
        "bare_p99_ms": figures["p99_ms"],
        "bare_cpu_us_per_message": round(cpu / max(1, figures["stored"]) * 1e6, 1),
    }


def send(services: Services, options: argparse.Namespace, ids: dict[str, int], properties: list[str]) -> dict[str, Any]:
    job = {
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
    while last < wanted and time.monotonic() - since < 10:
        time.sleep(0.5)
        count = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # type: ignore[index]
        if count != last:
            last, since = count, time.monotonic()


def measure(database: psycopg.Connection[Any], table: str) -> dict[str, Any]:
    row = database.execute(FIGURES.format(table=table)).fetchone()
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
