"""The durable way in: HTTP uplink, which answers 200 after the commit. Requests/s by connections and reports a request."""

import argparse
import json
import threading
import time
from typing import Any

import httpx

from bench import platform
from tests.services import Services


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--reports", type=int, nargs="+", default=[1, 100], help="reports in one request")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with platform.running() as services:
        keys = list(platform.make_devices(services, options.connections, ["p0", "p1"]))
        return {f"{count}_a_request": one_size(services, keys, count, options.seconds) for count in options.reports}


def one_size(services: Services, keys: list[str], count: int, seconds: float) -> dict[str, float]:
    """All connections at once, each one device; what was answered with 200, and how long each answer took."""
    taken: list[float] = []
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=talk, args=(services.url, key, count, until, taken)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.sort()
    return {
        "requests_per_s": round(len(taken) / seconds, 1),
        "reports_per_s": round(len(taken) * count / seconds),
        "p50_ms": round(taken[len(taken) // 2] * 1000, 1),
        "p99_ms": round(taken[len(taken) * 99 // 100] * 1000, 1),
    }


def talk(url: str, key: str, count: int, until: float, taken: list[float]) -> None:
    with httpx.Client(auth=(key, platform.SECRET), timeout=30) as client:
        at = time.time_ns() // 1_000_000
        while time.monotonic() < until:
            at += count
            body = json.dumps([{"ts": at - place, "values": {"p0": 20.5, "p1": place}} for place in range(count)])
            started = time.monotonic()
            client.post(f"{url}/api/v1/device/telemetry", content=body).raise_for_status()
            taken.append(time.monotonic() - started)
