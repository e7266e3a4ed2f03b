"""What the platform says that it has: by SQL, by REST, in its ledger's rows and in its metrics."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from prometheus_client.parser import text_string_to_metric_families

from tests.flows.platform import Account, Platform
from tests.services import Services

from .journal import Row

FATES = ("received", "stored", "duplicate", "rejected", "dead_lettered")
REPORTS = """
    SELECT device.key, (extract(epoch FROM report.at) * 1000000)::bigint, report.values
    FROM telemetry_report AS report JOIN devices_device AS device ON device.id = report.device_id
    WHERE device.key = ANY(%s)
"""
NUMBERS = """
    SELECT (report.values ->> 'n')::bigint
    FROM telemetry_report AS report JOIN devices_device AS device ON device.id = report.device_id WHERE device.key = ANY(%s)
"""
LATEST = """
    SELECT device.key, latest.values
    FROM telemetry_latest AS latest JOIN devices_device AS device ON device.id = latest.device_id WHERE device.key = ANY(%s)
"""
LEDGER = """
    SELECT coalesce(sum(received), 0)::bigint, coalesce(sum(stored), 0)::bigint, coalesce(sum(duplicate), 0)::bigint,
           coalesce(sum(rejected), 0)::bigint, coalesce(sum(dead_lettered), 0)::bigint
    FROM (
        SELECT device_id, received, stored, duplicate, rejected, dead_lettered FROM telemetry_ledgerhour
        UNION ALL
        SELECT row.*
        FROM telemetry_ledgerentry CROSS JOIN unnest(devices, received, stored, duplicate, rejected, dead_lettered) AS row
    ) AS every LEFT JOIN devices_device AS device ON device.id = every.device_id
    WHERE %(keys)s::text[] IS NULL OR device.key = ANY(%(keys)s)
"""


def ask(services: Services, query: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
    """One question on a connection of its own."""
    with psycopg.connect(services.database_url, autocommit=True, connect_timeout=5) as database:
        return database.execute(query, parameters).fetchall()


def sql_rows(services: Services, keys: Iterable[str]) -> list[Row]:
    return [Row(*row) for row in ask(services, REPORTS, [list(keys)])]


def sql_latest(services: Services, keys: Iterable[str]) -> dict[str, dict[str, tuple[Any, int]]]:
    found = ask(services, LATEST, [list(keys)])
    return {key: {name: (value, at) for name, (value, at) in values.items()} for key, values in found}


def numbers(services: Services, keys: Iterable[str]) -> set[int]:
    """The numbers of these devices' reports; none where the database does not answer."""
    try:
        return {number for (number,) in ask(services, NUMBERS, [list(keys)])}
    except psycopg.OperationalError:
        return set()


def rest_rows(platform: Platform, account: Account) -> list[Row]:
    """All readings of a device, put together into reports again."""
    found: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    query: dict[str, Any] = {"order": "at", "limit": 10_000, "start": 0}
    while True:
        page = platform.get(f"devices/{account.key}/readings/", **query)
        for row in page["results"]:
            at, name = round(row["ts"] * 1000), row["property"]
            assert name not in found[at], f"{account.key} has {name} twice at {at}"
            found[at][name] = row["value"]
        if not page["next"]:
            return [Row(account.key, at, values) for at, values in found.items()]
        query["cursor"] = page["next"]


def rest_latest(platform: Platform, account: Account) -> dict[str, tuple[Any, int]]:
    answer = platform.get(f"devices/{account.key}/latest/")
    return {name: (each["value"], round(each["ts"] * 1000)) for name, each in answer.items()}


def rest_count(platform: Platform, account: Account) -> int:
    """Reports of a device as a chart counts them, which reads rollups where it may."""
    page = platform.get(f"devices/{account.key}/readings/", property="n", bucket="1h", aggregate="count", start=0, limit=10_000)
    return sum(row["count"] for row in page["results"])


def ledger(services: Services, keys: Sequence[str] | None = None) -> dict[str, int]:
    """The rows that were written in the batches' transactions; of all devices and of unknown ones where `keys` is None."""
    [numbers] = ask(services, LEDGER, {"keys": None if keys is None else list(keys)})
    return dict(zip(FATES, numbers, strict=True))


def metrics(platform: Platform) -> dict[tuple[str, str], dict[str, float]]:
    """The counters, by process and source."""
    found: defaultdict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for family in text_string_to_metric_families(platform.metrics()):
        if match := re.fullmatch(r"iotpanel_uplink_(\w+)", family.name):
            for sample in family.samples:
                if match[1] in FATES:
                    found[sample.labels["process"], sample.labels["source"]][match[1]] = sample.value
    return dict(found)


def is_identity(counts: dict[str, Any]) -> bool:
    """received = stored + duplicate + rejected + dead-lettered."""
    return bool(counts["received"] == sum(counts[fate] for fate in FATES[1:]))


def identity_holds(platform: Platform) -> bool:
    """In the metrics of every process, for every source."""
    found = metrics(platform)
    return bool(found) and all(map(is_identity, found.values()))
