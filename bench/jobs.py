"""A job over many simulated devices, with a restart of every process in the middle.

Half of the devices done, each part of the platform is killed in turn (`--calm`: none is): PostgreSQL, broker, cache, uplink
worker, task worker, scheduler, web. The job has to end with every device in a final state; devices come back by themselves.
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

PARTS = ("postgres", "mosquitto", "valkey", "uplink", "tasks", "beat", "web")
SCRIPT = """
from devices.downlink import wake
from devices.firmware import packages
from devices.jobs import verbs
from devices.models import Product
product = Product.objects.get(key="bench")
product.thing_model = {"commands": [{"key": "blink", "idempotent": True}]}
product.save()
packages.add_package(product, version="2.0.0", pieces=[bytes(100_000)])
specs = {"firmware": {"product": "bench", "version": "2.0.0", "timeout": 60}, "command": {"command": "blink", "timeout": 20}}
rollout = {"canary_percent": 1, "wave_percent": 25, "parallel": PARALLEL, "retries": 3, "retry_after": 1, "abort_percent": 100}
verbs.start(product.tenant, name="Bench", kind=KIND, spec=specs[KIND], target={"product": "bench"}, rollout=rollout)
"""
FIGURES = """
    SELECT count(*), count(*) FILTER (WHERE target.state = 'succeeded'), count(*) FILTER (WHERE target.state = 'failed'),
           max(target.attempts), extract(epoch FROM max(job.finished_at) - max(job.created_at))
    FROM devices_jobtarget target JOIN devices_job job ON job.id = target.job_id
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--kind", choices=("firmware", "command"), default="firmware")
    parser.add_argument("--parallel", type=int, default=2_000, help="devices at once")
    parser.add_argument("--calm", action="store_true", help="kill nothing")
    parser.add_argument("--most", type=float, default=600, help="seconds after which it has failed")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with platform.running() as services:
        keys = list(platform.make_devices(services, options.devices, ["p0"]))
        crowd = {"port": services.mqtt_port, "secret": platform.SECRET, "keys": keys}
        with subprocess.Popen([sys.executable, "-m", "bench.steadfast"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as devices:
            assert devices.stdin is not None and devices.stdout is not None
            devices.stdin.write(json.dumps(crowd).encode())
            devices.stdin.close()
            devices.stdout.readline()
            try:
                return one_job(services, options)
            finally:
                devices.terminate()


def one_job(services: Services, options: argparse.Namespace) -> dict[str, Any]:
    eventually(lambda: asked(services, "SELECT count(*) FROM devices_devicepresence WHERE online")[0] >= options.devices, 120)
    began = time.monotonic()
    given = SCRIPT.replace("KIND", repr(options.kind)).replace("PARALLEL", str(options.parallel))
    platform.manage(services, "shell", "-v", "0", "-c", given)
    ended = "SELECT count(*) FROM devices_jobtarget WHERE state IN ('succeeded', 'failed')"
    if not options.calm:
        eventually(lambda: asked(services, ended)[0] >= options.devices // 2, options.most)
        restart(services)
    eventually(lambda: asked(services, "SELECT state FROM devices_job")[0] in ("finished", "aborted"), options.most)
    count, succeeded, failed, attempts, seconds = asked(services, FIGURES)
    return {
        "devices": count,
        "succeeded": succeeded,
        "failed": failed,
        "left": count - succeeded - failed,
        "most_attempts": attempts,
        "killed": [] if options.calm else list(PARTS),
        "job_s": round(float(seconds), 1),
        "devices_per_s": round(count / float(seconds)),
        "wall_s": round(time.monotonic() - began, 1),
    }


def restart(services: Services) -> None:
    """Kill each part, and wait until all are back and serve."""
    for part in PARTS:
        services.kill(part)
    services.forgive()
    platform.signed_in(services)


def asked(services: Services, query: str) -> Any:
    """The answer's first row; zeros while the database is away."""
    try:
        with psycopg.connect(services.database_url, autocommit=True) as database:
            return database.execute(query).fetchone() or (0,)
    except psycopg.OperationalError:
        return (0,)
