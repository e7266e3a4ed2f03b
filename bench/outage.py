"""PostgreSQL is away for a minute while devices go on sending at a third of the sustained rate: what that costs.

Nothing may be lost; the worker's memory stays flat, since it takes no more than the broker's window; what waits is in the broker.
Once the database is back, `caught_up_s` runs until a reading is committed within a second of its sending again, with the
devices still sending. The lag is that of the device that is furthest behind of a few.
"""

import argparse
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from bench import latency, platform, traffic
from tests.services import Services

BEFORE, AFTER = 5.0, 75.0  # seconds of load around the outage
PAUSE = 0.25  # seconds between two looks
LAG = 1.0  # seconds
WATCHED = 5  # devices
BEHIND = """
    SELECT extract(epoch FROM clock_timestamp() - min(newest.at)) FROM unnest(%s::bigint[]) AS device (id)
    CROSS JOIN LATERAL (SELECT at FROM telemetry_report WHERE device_id = device.id ORDER BY at DESC LIMIT 1) newest
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--properties", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60, help="without the database")
    parser.add_argument("--qos", type=int, default=1, choices=(1,))
    parser.add_argument("--rate", type=float, default=0, help="messages/s; 0: a third of the sustained rate, which is looked for")


def run(options: argparse.Namespace) -> dict[str, Any]:
    properties = [f"p{number}" for number in range(options.properties)]
    with platform.running() as services:
        ids = platform.make_devices(services, options.devices, properties)
        rate = options.rate or latency.highest(services, options, ids, properties) / 3
        load = argparse.Namespace(**{**vars(options), "rate": rate, "seconds": BEFORE + options.seconds + AFTER})
        answer: dict[str, Any] = {}
        with psycopg.connect(services.database_url, autocommit=True) as database:
            database.execute("TRUNCATE telemetry_report")
        sender = threading.Thread(target=lambda: answer.update(traffic.send(services, load, ids, properties, begin=True)))
        sender.start()
        time.sleep(BEFORE + 4)  # until each device has begun, and has sent for a while
        seen = outage(services, options.seconds, list(ids.values())[:WATCHED], sender.is_alive)
        sender.join()
        with psycopg.connect(services.database_url, autocommit=True) as database:
            sent = answer["before"] + answer["sent"]
            traffic.settle(database, "telemetry_report", sent)
            stored = traffic.measure(database, "telemetry_report")["stored"]
    return {"messages_per_s": round(rate), "outage_s": options.seconds, **seen, "sent": sent, "stored": stored, "lost": sent - stored}


def outage(services: Services, seconds: float, watched: list[int], sending: Callable[[], bool]) -> dict[str, Any]:
    """Stop the database for so long, and wait until the worker has caught up; what was seen meanwhile. Memory in MB."""
    before = services.memory("uplink")
    services.stop("postgres")
    worker, broker = memories(services, seconds)
    services.start("postgres")
    back = time.monotonic()
    caught_up = None
    while caught_up is None and sending():
        time.sleep(PAUSE)
        if lag(services, watched) < LAG:
            caught_up = round(time.monotonic() - back, 1)
    middle = worker[len(worker) // 2]
    return {
        "worker_mb_before": round(before, 1),
        "worker_mb_most": round(max(worker), 1),
        "worker_mb_second_half": round(worker[-1] - middle, 1),
        "broker_mb_most": round(max(broker), 1),
        "caught_up_s": caught_up,
    }


def memories(services: Services, seconds: float) -> tuple[list[float], list[float]]:
    """Of the worker and of the broker, in the course of so many seconds."""
    until = time.monotonic() + seconds
    worker, broker = [], []
    while time.monotonic() < until:
        worker.append(services.memory("uplink"))
        broker.append(services.memory("mosquitto"))
        time.sleep(PAUSE)
    return worker, broker


def lag(services: Services, watched: list[int]) -> float:
    """Seconds since the newest stored reading of the device that is furthest behind; infinite while nobody answers."""
    try:
        with psycopg.connect(services.database_url, autocommit=True) as database:
            row = database.execute(BEHIND, [watched]).fetchone()
    except psycopg.OperationalError:
        return float("inf")
    return float(row[0]) if row and row[0] is not None else float("inf")
