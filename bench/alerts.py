"""From a device's publish over the alarm's row to an open connection, while other devices keep the worker busy.

With `--rules` rules, each for some of the busy devices, one of which watches a property of the device that is measured.
`--rate` is half of what the platform sustains on the machine (`bench ingest`). Publishes alternate above and below the
limit, so that each one changes an alarm; every change has to come.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from bench import platform
from bench.live import quantile
from tests.flows.platform import Account, Connection, Platform
from tests.services import Services, eventually

BUSY = 500  # devices
SETTLE = 3.0  # seconds
RULES = """
from iotpanel.tenants.models import Tenant
from rules.rules import create_rule
tenant = Tenant.objects.get(key="default")
for n in range({count}):
    when = {{"property": f"p{{n % 5}}", "op": ">", "value": 90_000}}
    devices = [f"bench-{{(n * 5 + step) % {busy}}}" for step in range(5)]
    create_rule(tenant, name=f"Busy {{n}}", body={{"scope": {{"devices": devices}}, "when": when, "actions": [{{"kind": "alarm"}}]}})
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rules", type=int, default=100)
    parser.add_argument("--rate", type=float, default=3_000, help="messages a second of the busy devices")
    parser.add_argument("--alarms", type=int, default=300, help="changes of alarms that are measured")
    parser.add_argument("--apart", type=float, default=0.05, help="seconds between them")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with platform.running() as services:
        eventually(lambda: services.client().get("/readyz").status_code == 200, 120)
        ids = platform.make_devices(services, BUSY, [f"p{number}" for number in range(5)])
        platform.manage(services, "shell", "-v", "0", "-c", RULES.format(count=max(0, options.rules - 1), busy=BUSY))
        user = Platform(services)
        account = user.device(user.product())
        body = {"scope": {"devices": [account.key]}, "when": {"property": "n", "op": ">", "value": 0}, "actions": [{"kind": "alarm"}]}
        user.post("rules/", {"name": "Measured", **body})
        with busy(services, options, list(ids)) as load:
            milliseconds, lost = measure(user, account, options)
        sent = json.loads(load[0].splitlines()[-1])
    return {
        "p50_ms": quantile(milliseconds, 0.5),
        "p95_ms": quantile(milliseconds, 0.95),
        "p99_ms": quantile(milliseconds, 0.99),
        "max_ms": round(milliseconds[-1], 1),
        "messages_per_s": round(sent["sent"] / sent["seconds"]),
        "rules": options.rules,
        "alarms": options.alarms,
        "lost": lost,
    }


@contextmanager
def busy(services: Services, options: argparse.Namespace, keys: list[str]) -> Iterator[list[str]]:
    """The load of the other devices; what it sent is in the list afterwards."""
    seconds = options.alarms * options.apart + 2 * SETTLE
    job = {"host": "127.0.0.1", "port": services.mqtt_port, "secret": platform.SECRET, "keys": keys, "qos": 1, "burst": 1}
    job |= {"properties": [f"p{number}" for number in range(5)], "seconds": seconds, "rate": options.rate}
    said: list[str] = []
    with subprocess.Popen([sys.executable, "-m", "bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load:
        assert load.stdin is not None
        load.stdin.write(json.dumps(job))
        load.stdin.close()
        time.sleep(SETTLE)
        yield said
        assert load.stdout is not None
        said.append(load.stdout.read())


def measure(user: Platform, account: Account, options: argparse.Namespace) -> tuple[list[float], int]:
    """Milliseconds from each publish to its frame, sorted; and how many never came."""
    token = user.http.headers["Authorization"].partition(" ")[2]
    address = f"{user.services.url.replace('http', 'ws')}/ws/live/?tenant=default"
    found, lost = [], 0
    with Connection(user.services.mqtt_port, account) as device, connect(address, subprotocols=[f"bearer.{token}"]) as live:  # type: ignore[list-item]
        live.send(json.dumps({"subscribe": {"alarms": True}}))
        live.recv(timeout=10)
        time.sleep(2)
        for number in range(options.alarms):
            began = time.perf_counter()
            device.publish(account.topic("telemetry"), {"n": 1 if number % 2 == 0 else -1})
            if heard(live, account.key, number % 2 == 0):
                found.append((time.perf_counter() - began) * 1000)
            else:
                lost += 1
            time.sleep(options.apart)
    return sorted(found), lost


def heard(live: ClientConnection, key: str, active: bool) -> bool:
    """Whether the change comes within ten seconds."""
    until = time.monotonic() + 10
    while (left := until - time.monotonic()) > 0:
        try:
            message = json.loads(live.recv(timeout=left))
        except TimeoutError:
            return False
        if message["type"] == "alarm" and message["data"]["device"] == key and message["data"]["active"] is active:
            return True
    return False
