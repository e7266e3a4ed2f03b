"""Readings from many devices through the real broker, worker and database; in turns with the bare loop.

Messages are published as fast as the broker takes them (or at --rate); the figure is messages divided by the time
from the first publish to the last commit. PostgreSQL keeps the time of each commit, so that publish to committed is
known for every message and for both alike. One browser watches one device meanwhile, and a hundred rules are enabled, of
which each message is tested by two. At the end, the highest rate at which nothing queues is searched for.
"""

import argparse
import json
import subprocess
import sys
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import psycopg

from bench import alarm_rules, browser, platform, sustained, traffic
from telemetry.uplink.batcher import BATCH_MESSAGES
from tests.services import Services

BARE_TABLES = """
    DROP SCHEMA IF EXISTS bare CASCADE;
    CREATE SCHEMA bare;
    CREATE TABLE bare.report (device_id bigint, at timestamptz, values jsonb NOT NULL, PRIMARY KEY (device_id, at));
    SELECT create_hypertable('bare.report', 'at', chunk_time_interval => interval '1 day', create_default_indexes => false);
    CREATE TABLE bare.latest (device_id bigint PRIMARY KEY, newest_at timestamptz, values jsonb) WITH (fillfactor = 50);
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--properties", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--qos", type=int, default=1, choices=(0, 1))
    parser.add_argument("--rate", type=float, default=0, help="messages/s; 0: as fast as the broker takes them")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-sustained", dest="sustained", action="store_false", help="leave out the search for the sustained rate")


def run(options: argparse.Namespace) -> dict[str, Any]:
    properties = [f"p{number}" for number in range(options.properties)]
    with platform.running() as services:
        ids = platform.make_devices(services, options.devices, properties)
        rules = alarm_rules.make(services, list(ids))
        with browser.watching(services, next(iter(ids))) as watched:
            passes = [
                {**one_pass(services, options, ids, properties), **bare_pass(services, options, ids, properties)}
                for _ in range(options.runs)
            ]
            begin = min(each["messages_per_s"] for each in passes)
            found = sustained.search(services, options, ids, properties, begin) if options.sustained else {}
    middle = sorted(passes, key=lambda each: each["messages_per_s"])[len(passes) // 2]
    ratios = [each["messages_per_s"] / each["bare_messages_per_s"] for each in passes]
    return {
        **middle,
        "readings_per_s": round(middle["messages_per_s"] * options.properties),
        "ratio_to_bare": round(median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "lost": sum(each["lost"] for each in passes),
        "duplicates": sum(each["duplicates"] for each in passes),
        "rules": rules,
        "browser_frames": watched.frames,
        **found,
    }


def one_pass(services: Services, options: argparse.Namespace, ids: dict[str, int], properties: list[str]) -> dict[str, Any]:
    """The platform's turn."""
    with psycopg.connect(services.database_url, autocommit=True) as database:
        database.execute("TRUNCATE telemetry_report, telemetry_latest, telemetry_ledgerentry")
        pid = services.pid("uplink")
        before = platform.cpu_seconds(pid)
        sent = traffic.send(services, options, ids, properties)
        traffic.settle(database, "telemetry_report", sent["sent"])
        cpu = platform.cpu_seconds(pid) - before
        figures = traffic.measure(database, "telemetry_report")
    return {
        "messages_per_s": figures["messages_per_s"],
        "sent": sent["sent"],
        "send_messages_per_s": round(sent["sent"] / sent["seconds"]),
        "stored": figures["stored"],
        "lost": max(0, sent["acked" if options.qos else "sent"] - figures["stored"]),
        "duplicates": max(0, figures["stored"] - sent["sent"]),
        "p50_ms": figures["p50_ms"],
        "p99_ms": figures["p99_ms"],
        "worker_cpu_us_per_message": round(cpu / max(1, figures["stored"]) * 1e6, 1),
        "worker_rss_mb": round(platform.rss_mb(pid), 1),
    }


def bare_pass(services: Services, options: argparse.Namespace, ids: dict[str, int], properties: list[str]) -> dict[str, Any]:
    """The bare loop's turn, on the same broker and database, with the platform's worker stopped."""
    services.stop("uplink")
    traffic.forget_session(services, services.environment["IOTPANEL_MQTT_CLIENT_ID"])
    worker = urlsplit(services.environment["MQTT_URL"])
    job = {"ids": ids, "database": services.database_url, "port": worker.port, "user": worker.username, "password": worker.password}
    job["batch"] = BATCH_MESSAGES
    try:
        with psycopg.connect(services.database_url, autocommit=True) as database:
            database.execute(BARE_TABLES)
            process = subprocess.Popen([sys.executable, "-m", "bench.bare"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps(job).encode())
            process.stdin.close()
            process.stdout.readline()
            before = platform.cpu_seconds(process.pid)
            sent = traffic.send(services, options, ids, properties)
            traffic.settle(database, "bare.report", sent["sent"])
            cpu = platform.cpu_seconds(process.pid) - before
            figures = traffic.measure(database, "bare.report")
            process.terminate()
            process.wait(20)
    finally:
        traffic.forget_session(services, "bench-bare")
        platform.start_uplink(services)
    return {
        "bare_messages_per_s": figures["messages_per_s"],
        "bare_p99_ms": figures["p99_ms"],
        "bare_cpu_us_per_message": round(cpu / max(1, figures["stored"]) * 1e6, 1),
    }
