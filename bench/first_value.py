"""From `mosquitto_pub` with a new device's credentials to the REST answer that holds the reading.

Each message comes from a device that was made for it, and from a process of its own, as when a person tries the platform out. The clock
starts before the process does, so that its start, connection and acknowledgement are in the figures; `after_pub` counts from its end.
"""

import argparse
import subprocess
import time
from typing import Any

from bench import platform
from bench.live import quantile
from iotpanel.local import servers
from tests.flows.platform import Account, Platform

LOOK_EVERY = 0.002  # seconds between two questions to REST
PATIENCE = 30.0
PROMISED_MS = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--devices", type=int, default=30)


def run(options: argparse.Namespace) -> dict[str, Any]:
    with platform.running() as services:
        user = platform.signed_in(services)
        tree = servers.choose(services.config).tree
        assert tree is not None
        program = str(tree.program("mosquitto_pub"))
        product = user.product()
        first_value(user, program, user.device(product))  # the very first question to a web process loads what it needs
        found = [first_value(user, program, user.device(product)) for _ in range(options.devices)]
    whole, after = (sorted(each) for each in zip(*found, strict=True))
    return {
        "devices": options.devices,
        **{f"p{share}_ms": quantile(whole, share / 100) for share in (50, 95, 99)},
        "max_ms": round(whole[-1], 1),
        "after_pub_p50_ms": quantile(after, 0.5),
        "after_pub_max_ms": round(after[-1], 1),
        f"within_{PROMISED_MS}_ms": f"{sum(each <= PROMISED_MS for each in whole)} of {options.devices}",
    }


def first_value(user: Platform, program: str, account: Account) -> tuple[float, float]:
    """Milliseconds from the start of mosquitto_pub, and from its end, to the answer. Raises TimeoutError after half a minute."""
    where = ["-h", "127.0.0.1", "-p", str(user.services.mqtt_port), "-u", account.key, "-P", account.secret]
    began = time.perf_counter()
    subprocess.run([program, *where, "-q", "1", "-t", account.topic("telemetry"), "-m", '{"n": 21.5}'], check=True, timeout=PATIENCE)
    ended = time.perf_counter()
    while user.latest(account) != {"n": 21.5}:
        if time.perf_counter() - ended > PATIENCE:
            raise TimeoutError("the reading is not in the REST answer")
        time.sleep(LOOK_EVERY)
    answered = time.perf_counter()
    return (answered - began) * 1000, (answered - ended) * 1000
