"""What rules cost: µs per reading and rule, and what they take of the ingest.

Batches of reports go through the uplink's `process` in one process, on the platform's database, without a broker. First
every report is looked at by all rules (`us_per_look_N`); then each of the N rules concerns one device of 200, which is
how most rules are, and the whole ingest is measured beside the same without rules (`ratio_N`).
"""

import argparse
import json
import os
import subprocess
import sys
from typing import Any

from bench import platform

DEVICES = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rules", default="1,100,1000,10000", help="how many rules, one pass each")
    parser.add_argument("--batches", type=int, default=12, help="batches of 500 messages in a pass")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with platform.running() as services:
        platform.make_devices(services, DEVICES, ["p0", "p1", "p2", "p3", "p4"])
        services.stop("uplink")
        command = [sys.executable, "-m", "bench.rules_passes", options.rules, str(options.batches)]
        environment = {**os.environ, **services.environment}
        answer = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found
