"""What became of every report, per device and hour: received = stored + duplicate + rejected + dead-lettered.

A batch appends one row with all its counts; `fold` sums such rows into hours per device and minutes per tenant. The
reads add what is not folded yet, in the same snapshot, so they are right at every moment.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from django.db import transaction

from devices.models import Device
from iotpanel.databases import execute, prepared
from iotpanel.tenants.models import Tenant

from .stores.backend.packed import bigints
from .stores.clock import to_microseconds
from .stores.session import affected

NAMES = ("received", "stored", "duplicate", "rejected", "dead_lettered", "heartbeats")
FOLD_AT_ONCE = 500


class Counts(NamedTuple):
    """Reports, attribute objects and events by their fate; heartbeats stand beside the identity."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    dead_lettered: int = 0
    heartbeats: int = 0

    @property
    def missing(self) -> int:
        """Reports that nobody can account for: 0 where the books balance."""
        return self.received - self.stored - self.duplicate - self.rejected - self.dead_lettered


APPEND = "INSERT INTO telemetry_ledgerentry (at, counts) VALUES (now(), %s::text::jsonb)"

SUMS = ", ".join(f"sum(coalesce((row ->> {place})::bigint, 0))::bigint AS {name}" for place, name in enumerate(NAMES, 1))
COLUMNS = ", ".join(NAMES)
TAKE = """
    CREATE TEMPORARY TABLE taken ON COMMIT DROP AS
    WITH picked AS MATERIALIZED ( -- a plain subquery may be asked again for each row, and then picks others each time
        SELECT id FROM telemetry_ledgerentry ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM telemetry_ledgerentry WHERE id IN (SELECT id FROM picked) RETURNING at, counts
    )
    SELECT at, coalesce(device.id, 0) AS device_id, device.tenant_id, row
    FROM gone CROSS JOIN jsonb_array_elements(counts) AS row
    LEFT JOIN devices_device AS device ON device.id = (row ->> 0)::bigint
"""
ADD = ", ".join(f"{name} = into_row.{name} + excluded.{name}" for name in NAMES)
HOURS = f"""
    INSERT INTO telemetry_ledgerhour AS into_row (device_id, hour, {COLUMNS})
    SELECT device_id, date_trunc('hour', at), {SUMS} FROM taken GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (device_id, hour) DO UPDATE SET {ADD}
"""  # noqa: S608 - names of our own columns
MINUTES = """
    INSERT INTO telemetry_ledgerminute AS into_row (tenant_id, minute, received, stored)
    SELECT tenant_id, date_trunc('minute', at), sum(coalesce((row ->> 1)::bigint, 0)), sum(coalesce((row ->> 2)::bigint, 0))
    FROM taken WHERE tenant_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (tenant_id, minute) DO UPDATE SET
        received = into_row.received + excluded.received, stored = into_row.stored + excluded.stored
"""


def append(counts: Mapping[int, Sequence[int]]) -> None:
    """Note a batch's counts in its transaction: `{device id, or 0 for none known: the numbers in the order of NAMES}`."""
    rows = [_short(device_id, numbers) for device_id, numbers in counts.items()]
    if rows:
        prepared(APPEND, [orjson.dumps(rows).decode()])


def _short(device_id: int, numbers: Sequence[int]) -> list[int]:
    """A row without the zeros that nearly all of them end in."""
    return [device_id, *(numbers if any(numbers[2:]) else numbers[:2])]


def fold() -> int:
    """Sum the batches' rows into hours and minutes, a bounded number per transaction; how many rows were taken.

    A device that is gone by now counts under 0.
    """
    taken = 0
    while True:
        some = _fold_some()
        taken += some
        if some < FOLD_AT_ONCE:
            return taken


@transaction.atomic
def _fold_some() -> int:
    [(before,)] = execute("SELECT count(*) FROM (SELECT FROM telemetry_ledgerentry LIMIT %s) AS waiting", [FOLD_AT_ONCE])
    if not before:
        return 0
    affected(TAKE, [FOLD_AT_ONCE])
    execute(HOURS)
    execute(MINUTES)
    execute("DROP TABLE taken")
    return int(before)


NEWEST = """
    SELECT greatest((SELECT at FROM telemetry_ledgerentry ORDER BY id DESC LIMIT 1), (SELECT max(minute) FROM telemetry_ledgerminute))
"""


def newest() -> datetime | None:
    """About when the last batch was committed (to the minute where it is folded); None where none ever was."""
    found: datetime | None = execute(NEWEST)[0][0]
    return found


HOURLY = f"""
    WITH wanted AS MATERIALIZED (SELECT unnest(%s::bigint[]) AS id), every AS (
        SELECT device_id, hour, {COLUMNS} FROM telemetry_ledgerhour
        WHERE device_id IN (SELECT id FROM wanted) AND hour >= date_trunc('hour', %s::timestamptz) AND hour < %s::timestamptz
        UNION ALL
        SELECT (row ->> 0)::bigint, date_trunc('hour', at), {", ".join(f"coalesce((row ->> {place})::bigint, 0)" for place in range(1, 7))}
        FROM telemetry_ledgerentry CROSS JOIN jsonb_array_elements(counts) AS row
        WHERE at >= date_trunc('hour', %s::timestamptz) AND at < %s::timestamptz AND (row ->> 0)::bigint IN (SELECT id FROM wanted)
    )
"""  # noqa: S608
SUM_ALL = ", ".join(f"sum({name})::bigint" for name in NAMES)


def by_device(devices: Collection[int], *, since: datetime, until: datetime) -> dict[int, Counts]:
    """The counts of these devices (0: uplinks of no known device) in whole hours from the one of `since` on."""
    rows = _query(f"{HOURLY} SELECT device_id, {SUM_ALL} FROM every GROUP BY 1", devices, since, until)  # noqa: S608
    return {device_id: Counts(*numbers) for device_id, *numbers in rows}


def by_hour(devices: Collection[int], *, since: datetime, until: datetime) -> list[tuple[datetime, Counts]]:
    """The counts of these devices together, hour by hour, oldest first; hours without uplinks are left out."""
    rows = _query(f"{HOURLY} SELECT hour, {SUM_ALL} FROM every GROUP BY 1 ORDER BY 1", devices, since, until)  # noqa: S608
    return [(hour, Counts(*numbers)) for hour, *numbers in rows]


def by_step(devices: Collection[int], *, since: datetime, until: datetime, by: str) -> list[tuple[datetime, Counts]]:
    """As `by_hour`, or in days of UTC where `by` is "day"."""
    hours = by_hour(devices, since=since, until=until)
    if by == "hour":
        return hours
    days: dict[datetime, list[Counts]] = {}
    for hour, counts in hours:
        days.setdefault(hour.astimezone(UTC).replace(hour=0), []).append(counts)
    return [(day, Counts(*map(sum, zip(*some, strict=True)))) for day, some in days.items()]


def total(tenant: Tenant | None, *, since: datetime, until: datetime) -> Counts:
    """The counts of a tenant, or of the whole platform with the uplinks of unknown devices, in whole hours."""
    devices = [0] if tenant is None else []
    ids = Device.objects.for_tenant(tenant) if tenant else Device.objects.all()
    devices += ids.values_list("id", flat=True)
    [sums] = _query(f"{HOURLY} SELECT {SUM_ALL} FROM every", devices, since, until)  # noqa: S608
    return Counts(*(number or 0 for number in sums))


def _query(query: str, devices: Collection[int], since: datetime, until: datetime) -> list[tuple[Any, ...]]:
    return execute(query, [bigints(list(devices)), since, until, since, until])


PER_STEP = """
    SELECT floor(extract(epoch FROM at) / %s)::bigint AS step, sum(stored)::bigint FROM (
        SELECT minute AS at, stored FROM telemetry_ledgerminute WHERE tenant_id = %s AND minute >= %s
        UNION ALL
        SELECT at, coalesce((row ->> 2)::bigint, 0) FROM telemetry_ledgerentry CROSS JOIN jsonb_array_elements(counts) AS row
        JOIN devices_device AS device ON device.id = (row ->> 0)::bigint AND device.tenant_id = %s
        WHERE at >= %s
    ) AS every GROUP BY 1 ORDER BY 1
"""


def stored_per_second(tenant: Tenant, *, since: datetime, until: datetime, step: int = 60) -> list[tuple[int, float]]:
    """`[(ms since 1970, reports stored per second)]` in steps of whole minutes (`step` in seconds), silent ones as 0."""
    step = max(60, step // 60 * 60)
    found = dict(execute(PER_STEP, [step, tenant.pk, since, tenant.pk, since]))
    first, last = (to_microseconds(instant) // (step * 1_000_000) for instant in (since, until))
    return [(index * step * 1000, found.get(index, 0) / step) for index in range(first, last + 1)]
