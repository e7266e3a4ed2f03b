"""The highest rate at which nothing queues: the last message is committed as soon after it was sent as the first ones were."""

import argparse
from typing import Any

import psycopg

from bench import traffic
from tests.services import Services

SECONDS = 8.0  # of each step
STEP = 0.9
STEPS = 10
LAG = 1.0  # seconds from publish to commit for 99 of 100 messages: more means that a queue grew
SHORT_OF = 0.97  # of the wanted rate: less means that the load generator itself was held up


def search(services: Services, options: argparse.Namespace, ids: dict[str, int], properties: list[str], begin: float) -> dict[str, Any]:
    """Go down from `begin` (messages/s) by a tenth at a time until a rate is held; what was seen there."""
    rate = begin
    for _ in range(STEPS):
        step = at_rate(services, options, ids, properties, rate)
        if step["lost"] <= 0 and step["p99_ms"] < LAG * 1000 and step["send_messages_per_s"] > SHORT_OF * rate:
            return {f"sustained_{name}": step[name] for name in ("messages_per_s", "p50_ms", "p99_ms")}
        rate *= STEP
    return {"sustained_messages_per_s": 0}


def at_rate(services: Services, options: argparse.Namespace, ids: dict[str, int], properties: list[str], rate: float) -> dict[str, Any]:
    """Send at a rate for a while; what became of it."""
    wanted = argparse.Namespace(**{**vars(options), "rate": rate, "seconds": SECONDS})
    with psycopg.connect(services.database_url, autocommit=True) as database:
        database.execute("TRUNCATE telemetry_report")
        sent = traffic.send(services, wanted, ids, properties)
        traffic.settle(database, "telemetry_report", sent["sent"])
        figures = traffic.measure(database, "telemetry_report")
    rate = round(sent["sent"] / sent["seconds"])
    return {**figures, "messages_per_s": rate, "send_messages_per_s": rate, "lost": sent["sent"] - figures["stored"]}
