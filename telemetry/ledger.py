"""What became of every report, per device and hour: received = stored + duplicate + rejected + dead-lettered.

A batch appends one row with all its counts; `fold` sums such rows into hours per device and minutes per tenant. The
reads add what is not folded yet, in the same snapshot, so they are right at every moment.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any, NamedTuple

from django.db import transaction

from devices.models import Device
from devices.timestamps import to_microseconds
from iotpanel.statements import execute, prepared
from iotpanel.tenants.models import Tenant

from .stores.backend.packed import bigints

NAMES = ("received", "stored", "duplicate", "rejected", "dead_lettered", "heartbeats")
FOLD_AT_ONCE = 500
REST = 0.3  # seconds between two portions: each takes the processor from the batches, which catch up meanwhile
RESTS = 20  # of a run; if there is still more, we are far behind


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


SUMS = ", ".join(f"sum({name})::bigint AS {name}" for name in NAMES)
COLUMNS = ", ".join(NAMES)
APPEND = f"""
    INSERT INTO telemetry_ledgerentry (at, devices, {COLUMNS}) VALUES (now(), {", ".join(["%s::bigint[]"] * (len(NAMES) + 1))})
"""  # noqa: S608 - names of our own columns
ROWS = f"CROSS JOIN unnest(devices, {COLUMNS}) AS row (device_id, {COLUMNS})"
ADD = ", ".join(f"{name} = into_row.{name} + excluded.{name}" for name in NAMES)
EACH = ", ".join(f"coalesce(sum(row.{name}), 0) AS {name}" for name in NAMES)
LISTED = ", ".join(f"unnest({name})::int AS {name}" for name in NAMES)
# One statement, because what was taken is looked at once: a batch of a thousand devices is a thousand rows here. The sums of
# smaller integers are reckoned in integers, those of larger ones in decimals, which takes a multiple. Lists that are unfolded side
# by side in a SELECT take 0.6 of the time of the same as a table.
FOLD = f"""
    WITH picked AS MATERIALIZED ( -- a plain subquery may be asked again for each row, and then picks others each time
        SELECT id FROM telemetry_ledgerentry ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM telemetry_ledgerentry WHERE id IN (SELECT id FROM picked)
        RETURNING date_trunc('minute', at) AS minute, devices, {COLUMNS}
    ), summed AS (
        SELECT minute, device_id, {EACH}
        FROM (SELECT minute, unnest(devices) AS device_id, {LISTED} FROM gone) AS row GROUP BY 1, 2
    ), known AS MATERIALIZED (
        SELECT summed.*, coalesce(device.id, 0) AS id, device.tenant_id
        FROM summed LEFT JOIN devices_device AS device ON device.id = summed.device_id
    ), hours AS (
        INSERT INTO telemetry_ledgerhour AS into_row (device_id, hour, {COLUMNS})
        SELECT id, date_trunc('hour', minute), {SUMS} FROM known GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (device_id, hour) DO UPDATE SET {ADD}
    ), minutes AS (
        INSERT INTO telemetry_ledgerminute AS into_row (tenant_id, minute, received, stored)
        SELECT tenant_id, minute, sum(received), sum(stored) FROM known WHERE tenant_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (tenant_id, minute) DO UPDATE SET
            received = into_row.received + excluded.received, stored = into_row.stored + excluded.stored
    )
    SELECT count(*) FROM gone
"""  # noqa: S608


def append(counts: Mapping[int, Sequence[int]]) -> None:
    """Note a batch's counts in its transaction: `{device id, or 0 for none known: the numbers in the order of NAMES}`."""
    if counts:
        prepared(APPEND, columns(counts))


def columns(counts: Mapping[int, Sequence[int]]) -> list[bytes | None]:
    """The ids, and one column for each of NAMES; None where all is 0."""
    numbers = zip(*counts.values(), strict=True)
    return [bigints(list(counts)), *(bigints(column) if any(column) else None for column in numbers)]


def fold() -> int:
    """Sum the batches' rows into hours and minutes, a bounded number per transaction; how many rows were taken.

    A device that is gone by now counts under 0.
    """
    taken = 0
    for portion in count(1):
        some = _fold_some()
        taken += some
        if some < FOLD_AT_ONCE:
            break
        if portion <= RESTS:
            time.sleep(REST)
    return taken


def _fold_some() -> int:
    with transaction.atomic():
        [(taken,)] = execute(FOLD, [FOLD_AT_ONCE])
        return int(taken)


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
        SELECT row.device_id, date_trunc('hour', at), {", ".join(f"coalesce(row.{name}, 0)" for name in NAMES)}
        FROM telemetry_ledgerentry {ROWS}
        WHERE at >= date_trunc('hour', %s::timestamptz) AND at < %s::timestamptz AND row.device_id IN (SELECT id FROM wanted)
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
        SELECT at, coalesce(row.stored, 0) FROM telemetry_ledgerentry CROSS JOIN unnest(devices, stored) AS row (device_id, stored)
        JOIN devices_device AS device ON device.id = row.device_id AND device.tenant_id = %s
        WHERE at >= %s
    ) AS every GROUP BY 1 ORDER BY 1
"""


def stored_per_second(tenant: Tenant, *, since: datetime, until: datetime, step: int = 60) -> list[tuple[int, float]]:
    """`[(ms since 1970, reports stored per second)]` in steps of whole minutes (`step` in seconds), silent ones as 0."""
    step = max(60, step // 60 * 60)
    found = dict(execute(PER_STEP, [step, tenant.pk, since, tenant.pk, since]))
    first, last = (to_microseconds(instant) // (step * 1_000_000) for instant in (since, until))
    return [(index * step * 1000, found.get(index, 0) / step) for index in range(first, last + 1)]
