"""The query bench's work, in the platform's environment: `python -m bench.query_work` with a job as JSON on standard input."""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402 - models need the set-up above

from devices.models import Device  # noqa: E402 - as above
from devices.timestamps import to_microseconds  # noqa: E402 - as above
from iotpanel.statements import execute  # noqa: E402 - as above
from telemetry import charts, history, latest, rollups  # noqa: E402 - as above
from telemetry.history import fleet  # noqa: E402 - as above
from telemetry.stores.levels import COLUMNS, COMBINED  # noqa: E402 - as above

DAYS = 30
PROPERTIES = 5
CHART_POINTS = 720
STEPS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 300, 360, 600, 720, 900, 1200, 1800, 3600)  # seconds between reports
# What property n of a device shows in an hour: whole numbers and quarters, so that sums are exact whatever the order.
VALUE = "round((id %% 10) + {n} + extract(hour FROM at AT TIME ZONE 'UTC') / 4, 2)"
REPORTS = """
    INSERT INTO telemetry_report (device_id, at, values)
    SELECT id, at, jsonb_build_object({pairs})
    FROM generate_series(%s::timestamptz, %s::timestamptz - interval '1 second', make_interval(secs => %s)) AS at
    CROSS JOIN devices_device WHERE key LIKE 'bench-%%' ORDER BY id, at
"""
# The value holds for a whole hour, so a bucket of up to an hour is known without looking at its readings.
ROLLUPS = """
    INSERT INTO {table} (device_id, property, bucket, count, numbers, total, low, high, first, first_at, last, last_at)
    SELECT id, 'p' || n, at, {count}, {count}, {count} * value, value, value, to_jsonb(value), at, to_jsonb(value),
           at + make_interval(secs => {later})
    FROM (
        SELECT id, n, at, {value} AS value
        FROM generate_series(%s::timestamptz, %s::timestamptz - interval '1 second', make_interval(secs => {every})) AS at
        CROSS JOIN devices_device CROSS JOIN generate_series(0, {last}) AS n WHERE key LIKE 'bench-%%' ORDER BY id, n, at
    ) AS every
"""
DAYS_OF_HOURS = f"""
    INSERT INTO telemetry_rollup_day (device_id, property, bucket, {COLUMNS})
    SELECT device_id, property, date_trunc('day', bucket, 'UTC'), {COMBINED} FROM telemetry_rollup_hour
    WHERE bucket >= %s AND bucket < %s GROUP BY 1, 2, 3
"""
LATEST = """
    INSERT INTO telemetry_latest (device_id, newest_at, merged_from, values)
    SELECT device_id, at, at, (
        SELECT jsonb_object_agg(key, jsonb_build_array(value, (extract(epoch FROM at) * 1000000)::bigint)) FROM jsonb_each(values)
    ) FROM (SELECT DISTINCT ON (device_id) device_id, at, values FROM telemetry_report WHERE at >= %s ORDER BY device_id, at DESC) AS newest
"""
SIZES = """
    SELECT pg_total_relation_size(%s::regclass) + coalesce((
        SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = %s::regclass), 0)
"""


def said(text: str, since: float) -> None:
    print(f"{text}: {time.monotonic() - since:.0f} s", file=sys.stderr, flush=True)


class Store:
    """The readings, made day by day up to the last full hour."""

    def __init__(self, readings: int) -> None:
        devices = Device.objects.filter(key__startswith="bench-").count()
        self.end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        self.start = self.end - timedelta(days=DAYS)
        wanted = 3600 * devices * PROPERTIES * DAYS * 24 / readings
        self.step = max((step for step in STEPS if step <= wanted), default=1)
        self.readings = devices * PROPERTIES * DAYS * 24 * (3600 // self.step)

    def make(self) -> None:
        since = time.monotonic()
        pairs = ", ".join(f"'p{n}', {VALUE.format(n=n)}" for n in range(PROPERTIES))
        for day in range(DAYS):
            start = self.start + timedelta(days=day)
            execute(REPORTS.format(pairs=pairs), [start, start + timedelta(days=1), self.step])
            self._roll_up("hour", 3600, start, start + timedelta(days=1))
            said(f"day {day + 1} of {DAYS}", since)
        self._roll_up("minute", 60, self.end - timedelta(days=1), self.end)
        midnight = timedelta(hours=self.end.hour)
        execute(DAYS_OF_HOURS, [self.end - midnight - timedelta(days=DAYS - 1), self.end - midnight])
        execute("UPDATE telemetry_rollupfrontier SET sealed_to = %s, rolled_up_to = %s", [self.end, self.end])
        execute("DELETE FROM telemetry_dirtybucket")
        execute(LATEST, [self.end - timedelta(hours=2)])
        execute("VACUUM (ANALYZE) telemetry_report")
        for name in ("minute", "hour", "day"):
            execute(f"VACUUM (ANALYZE) telemetry_rollup_{name}")
        said("vacuumed", since)

    def _roll_up(self, name: str, width: int, start: datetime, end: datetime) -> None:
        count, every = max(1, width // self.step), max(width, self.step)
        filled = {"table": f"telemetry_rollup_{name}", "count": count, "later": (count - 1) * self.step, "every": every}
        execute(ROLLUPS.format(**filled, value=VALUE.format(n="n"), last=PROPERTIES - 1), [start, end])

    def agrees(self) -> bool:
        """Whether the product's own code makes the same rows of these readings."""
        devices = list(Device.objects.filter(key__startswith="bench-").values_list("pk", flat=True)[:5])
        hours = [self.end - timedelta(hours=n) for n in (2, 30, 500)]
        names = "count, numbers, total, low, high, first, first_at, last, last_at"
        query = f"SELECT {names} FROM telemetry_rollup_hour WHERE device_id = ANY(%s) AND bucket = ANY(%s)"
        query += " ORDER BY device_id, property, bucket"
        before = execute(query, [devices, hours])
        for device in devices:
            for hour in hours:
                execute("INSERT INTO telemetry_dirtybucket (device_id, hour, claimed) VALUES (%s, %s, true)", [device, hour])
        done = rollups.recompute()
        return done == len(devices) * len(hours) and bool(before) and execute(query, [devices, hours]) == before


class Questions:
    def __init__(self, store: Store, asks: int) -> None:
        self.store, self.asks, self.random = store, asks, Random(7)
        self.devices = list(Device.objects.filter(key__startswith="bench-").select_related("product"))
        self.ids = [device.pk for device in self.devices]

    def latest_1000(self) -> int:
        return len(latest.read(self.ids[:1000]))

    def raw_1h(self) -> int:
        end = to_microseconds(self.store.end) - self.random.randrange(24 * 28) * 3_600_000_000
        device = self.random.choice(self.ids)
        names = [f"p{n}" for n in range(PROPERTIES)]
        return len(history.raw(device, properties=names, start=end - 3_600_000_000, end=end, limit=10_000).results)

    def chart_30d(self) -> int:
        device = self.random.choice(self.devices)
        drawn = charts.line(device, f"p{self.random.randrange(PROPERTIES)}", self.store.start, self.store.end, CHART_POINTS)
        return len(drawn["points"])

    def fleet_hourly(self) -> int:
        end = to_microseconds(self.store.end)
        return len(fleet.averages(self.ids, "p0", start=end - 24 * 3_600_000_000, end=end))

    def asked(self, name: str) -> dict[str, float]:
        question: Callable[[], int] = getattr(self, name)
        seconds = []
        for _ in range(self.asks):
            started = time.perf_counter()
            rows = question()
            seconds.append(time.perf_counter() - started)
        seconds.sort()
        p50, p95 = (round(seconds[int(len(seconds) * share)] * 1000, 2) for share in (0.5, 0.95))
        return {"p50_ms": p50, "p95_ms": p95, "rows": rows}


def size(table: str) -> int:
    """Bytes of a table with its indexes and chunks."""
    return int(execute(SIZES, [table, table])[0][0])


def main() -> None:
    job = json.load(sys.stdin)
    connection.ensure_connection()
    store, began = Store(job["readings"]), time.monotonic()
    store.make()
    made = time.monotonic() - began
    agrees = store.agrees()
    questions = Questions(store, job["asks"])
    answer: dict[str, Any] = {"readings": store.readings, "made_in_s": round(made), "rollups_agree": agrees}
    answer |= {name: questions.asked(name) for name in ("latest_1000", "raw_1h", "chart_30d", "fleet_hourly")}
    answer["bytes_per_reading"] = round(size("telemetry_report") / store.readings, 1)
    rolled_up = sum(size(f"telemetry_rollup_{name}") for name in ("minute", "hour", "day"))
    answer["rollup_bytes_per_reading"] = round(rolled_up / store.readings, 2)
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
