"""From a device's publish to a browser's open connection, through broker, worker, commit and web server.

Publishes are further apart than the tenth of a second within which the platform coalesces, so that each one is a frame of its own.
`--beside` messages a second of other devices, which nobody watches, keep the worker busy meanwhile.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import connect

from bench import platform
from tests.flows.platform import Account, Connection, Platform
from tests.services import Services, eventually

APART = 0.15  # seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--beside", type=int, default=0, help="messages a second of devices that nobody watches")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with platform.running() as services:
        eventually(lambda: services.client().get("/readyz").status_code == 200, 60)
        user = Platform(services)
        with beside(services, options.beside):
            milliseconds = measure(user, options.messages)
    return {
        "messages": options.messages,
        "beside_per_s": options.beside,
        "p50_ms": quantile(milliseconds, 0.5),
        "p95_ms": quantile(milliseconds, 0.95),
        "p99_ms": quantile(milliseconds, 0.99),
        "max_ms": round(milliseconds[-1], 1),
    }


@contextmanager
def beside(services: Services, rate: int) -> Iterator[None]:
    """A load of other devices, if one is asked for."""
    if not rate:
        yield
        return
    platform.make_devices(services, 100, ["p0"])
    command = [sys.executable, "-m", "bench.beside", str(services.mqtt_port), platform.SECRET, str(rate)]
    with subprocess.Popen(command) as load:
        time.sleep(2)
        try:
            yield
        finally:
            load.terminate()


def measure(user: Platform, messages: int, account: Account | None = None) -> list[float]:
    """Milliseconds from the publish to the frame, sorted; of a device that was made beforehand, where there is one."""
    account = account or user.device()
    token = user.http.headers["Authorization"].partition(" ")[2]
    address = f"{user.services.url.replace('http', 'ws')}/ws/live/?tenant=default"
    with Connection(user.services.mqtt_port, account) as device, connect(address, subprotocols=[f"bearer.{token}"]) as live:  # type: ignore[list-item]
        live.send(json.dumps({"subscribe": {"devices": [account.key]}}))
        live.recv(timeout=10)
        time.sleep(2)
        found = []
        for number in range(messages):
            began = time.perf_counter()
            device.publish(account.topic("telemetry"), {"n": number})
            while not _holds(json.loads(live.recv(timeout=10)), number):
                pass
            found.append((time.perf_counter() - began) * 1000)
            time.sleep(APART)
    return sorted(found)


def _holds(message: dict[str, Any], number: int) -> bool:
    return message["type"] == "readings" and any(row[3] == number for row in message["data"])


def quantile(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)
