"""One tenant sends twice its limit: what that does to the messages of another, from publish to commit.

The quiet tenant sends at a fixed rate, first alone, then beside the loud one. Both together, without what is refused,
stay within what the platform sustains. The median of the passes' ratios counts.
"""

import argparse
import json
import subprocess
import sys
from statistics import median
from typing import Any

import psycopg

from bench import platform
from bench.traffic import settle
from tests.services import Services

SPLIT = """
from devices.models import Device
from iotpanel.tenants.tenants import create_tenant
from devices.products import create_product
tenant = create_tenant(key="loud", name="Loud", rate_limit={rate}, rate_burst={burst})
model = {{"properties": [{{"key": "p0", "type": "number"}}]}}
product = create_product(tenant, key="bench", name="Bench", thing_model=model)
loud = list(Device.objects.filter(key__startswith="bench-").order_by("pk").values_list("pk", flat=True))[::2]
Device.objects.filter(pk__in=loud).update(tenant=tenant, product=product)
"""
WAITED = """
    SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY pg_xact_commit_timestamp(xmin) - at),
           percentile_cont(0.99) WITHIN GROUP (ORDER BY pg_xact_commit_timestamp(xmin) - at)
    FROM telemetry_report WHERE device_id = ANY(%s)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--devices", type=int, default=200, help="half of them belong to the loud tenant")
    parser.add_argument("--quiet-rate", type=float, default=1000, help="messages/s of the quiet tenant")
    parser.add_argument("--limit", type=float, default=2000, help="messages/s of the loud tenant, which sends twice as many")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--passes", type=int, default=3)


def run(options: argparse.Namespace) -> dict[str, Any]:
    with platform.running() as services:
        ids = platform.make_devices(services, options.devices, ["p0"])
        platform.manage(services, "shell", "-v", "0", "-c", SPLIT.format(rate=options.limit, burst=int(options.limit)))
        keys = sorted(ids, key=lambda key: ids[key])
        loud, quiet = keys[::2], keys[1::2]
        passes = [one_pass(services, options, loud, quiet, ids) for _ in range(options.passes)]
    middle = sorted(passes, key=lambda each: each["ratio"])[len(passes) // 2]
    return {**middle, "ratio": round(median(each["ratio"] for each in passes), 2), "ratios": [each["ratio"] for each in passes]}


def one_pass(services: Services, options: argparse.Namespace, loud: list[str], quiet: list[str], ids: dict[str, int]) -> dict[str, Any]:
    with psycopg.connect(services.database_url, autocommit=True) as database:
        mine, theirs = [ids[key] for key in quiet], [ids[key] for key in loud]
        alone = measured(services, database, mine, [(quiet, options.quiet_rate)], options.seconds)
        beside = measured(services, database, mine, [(quiet, options.quiet_rate), (loud, 2 * options.limit)], options.seconds)
        [(taken,)] = database.execute("SELECT count(*) FROM telemetry_report WHERE device_id = ANY(%s)", [theirs]).fetchall()
    return {
        "quiet_p50_ms": alone["p50_ms"],
        "quiet_p99_ms": alone["p99_ms"],
        "beside_p50_ms": beside["p50_ms"],
        "beside_p99_ms": beside["p99_ms"],
        "ratio": round(beside["p99_ms"] / alone["p99_ms"], 2),
        "quiet_lost": alone["lost"] + beside["lost"],
        "loud_sent": beside["sent"][-1],
        "loud_stored": taken,
    }


def measured(
    services: Services, database: psycopg.Connection[Any], devices: list[int], senders: list[tuple[list[str], float]], seconds: float
) -> dict[str, Any]:
    """The quiet tenant's waiting times while these send."""
    database.execute("TRUNCATE telemetry_report, telemetry_latest, telemetry_ledgerentry")
    processes = [sender(services, keys, rate, seconds) for keys, rate in senders]
    sent = [json.loads(process.communicate()[0].splitlines()[-1])["sent"] for process in processes]
    settle(database, "telemetry_report", sum(sent))
    row = database.execute(WAITED, [devices]).fetchone()
    assert row is not None
    stored, p50, p99 = row
    waits = {name: round(each.total_seconds() * 1000, 1) for name, each in (("p50_ms", p50), ("p99_ms", p99))}
    return {**waits, "lost": sent[0] - stored, "sent": sent}


def sender(services: Services, keys: list[str], rate: float, seconds: float) -> subprocess.Popen[str]:
    job = {"host": "127.0.0.1", "port": services.mqtt_port, "secret": platform.SECRET, "keys": keys, "properties": ["p0"]}
    job |= {"seconds": seconds, "rate": rate, "qos": 1, "burst": 1}
    process = subprocess.Popen([sys.executable, "-m", "bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    process.stdin.write(json.dumps(job))
    process.stdin.close()
    process.stdin = None
    return process
