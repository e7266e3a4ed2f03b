"""Questions to a store of 100 million readings: newest values, an hour raw, a month as a chart, the fleet by the hour.

The store is made in place. Readings go into the product's own tables by SQL; rollups by the same formula, days out of
hours, minutes for the last day (as if retention had dropped the rest); then the product's own rollup code does some hours
again and has to come to the same rows. The questions go through the product's own functions.
"""

import argparse
import json
import os
import subprocess
import sys
from typing import Any

from bench import platform


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--readings", type=int, default=100_000_000)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--asks", type=int, default=100, help="times that each question is asked, of changing devices")


def run(options: argparse.Namespace) -> dict[str, Any]:
    job = {"readings": options.readings, "asks": options.asks}
    with platform.running() as services:
        platform.make_devices(services, options.devices, [f"p{number}" for number in range(5)])
        for part in ("uplink", "tasks", "beat", "web"):  # nothing else is to touch the store
            services.stop(part)
        answer = subprocess.run(
            [sys.executable, "-m", "bench.query_work"],
            input=json.dumps(job),
            env={**os.environ, **services.environment},
            stdout=subprocess.PIPE,
            stderr=None if not options.json else subprocess.PIPE,
            text=True,
        )
    if answer.returncode:
        raise SystemExit((answer.stderr or "the work failed")[-4000:])
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found
