"""From publish to committed, and to a browser, at 10, 50 and 90 % of the sustained rate.

Publish to committed is known for every message of the load, because PostgreSQL keeps the time of each commit; before it, each
device has come and said one message (how a fleet comes is what `connections` measures). Publish to browser
is measured with a device of its own, whose publishes are further apart than the tenth of a second within which the platform coalesces.
"""

import argparse
import threading
import time
from typing import Any

import psycopg

from bench import ingest, live, load, platform, sustained, traffic
from tests.services import Services

LEVELS = (10, 50, 90)  # percent


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--properties", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20, help="at each level")
    parser.add_argument("--qos", type=int, default=1, choices=(0, 1))
    parser.add_argument("--sustained", type=float, default=0, help="messages/s; 0: look for it first")


def run(options: argparse.Namespace) -> dict[str, Any]:
    properties = [f"p{number}" for number in range(options.properties)]
    with platform.running() as services:
        ids = platform.make_devices(services, options.devices, properties)
        rate = options.sustained or highest(services, options, ids, properties)
        levels = {f"at_{level}_percent": at(services, options, ids, properties, rate * level / 100) for level in LEVELS}
    half = levels["at_50_percent"]
    return {"sustained_messages_per_s": round(rate), **levels, "p50_ms": half["committed"]["p50_ms"], "p99_ms": half["committed"]["p99_ms"]}


def highest(services: Services, options: argparse.Namespace, ids: dict[str, int], properties: list[str]) -> float:
    """The sustained rate: from a flood downwards. Raises SystemExit where not even a third of the flood is held."""
    flood = argparse.Namespace(**{**vars(options), "rate": 0, "seconds": sustained.SECONDS})
    begin = ingest.one_pass(services, flood, ids, properties)["messages_per_s"]
    found = float(sustained.search(services, options, ids, properties, begin)["sustained_messages_per_s"])
    if not found:
        raise SystemExit("no rate was held: is the machine busy with something else?")
    return found


def at(services: Services, options: argparse.Namespace, ids: dict[str, int], properties: list[str], rate: float) -> dict[str, Any]:
    """Both latencies at a rate (messages/s)."""
    wanted = argparse.Namespace(**{**vars(options), "rate": rate})
    user = platform.signed_in(services)
    account = user.device()  # before the load: a new device has the registry looked at anew
    frames: list[float] = []

    def watch() -> None:
        time.sleep(2 * load.WARM_UP)
        frames.extend(live.measure(user, int((options.seconds - 4) / live.APART / 1.5), account))

    probe = threading.Thread(target=watch)
    with psycopg.connect(services.database_url, autocommit=True) as database:
        database.execute("TRUNCATE telemetry_report")
        probe.start()
        sent = traffic.send(services, wanted, ids, properties, begin=True)
        probe.join()
        traffic.settle(database, "telemetry_report", sent["before"] + sent["sent"])
        measured = "WHERE device_id = ANY(%s) AND at >= to_timestamp(%s / 1e6)"
        committed = traffic.measure(database, "telemetry_report", measured, [list(ids.values()), sent["began"]])
    return {
        "messages_per_s": round(sent["sent"] / sent["seconds"]),
        "lost": sent["sent"] - committed["stored"],
        "committed": {"p50_ms": committed["p50_ms"], "p99_ms": committed["p99_ms"]},
        "websocket": {"p50_ms": live.quantile(frames, 0.5), "p99_ms": live.quantile(frames, 0.99)},
    }
