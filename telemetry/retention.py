"""How long data are kept, and the runs that drop what is older.

Raw readings and events: one ceiling for the platform, dropped by whole chunks where TimescaleDB is there; a product may
ask for less. Rollups: by product, level and property. No reading is dropped before it is rolled up, and `Forgotten`
says up to where rollups are the only copy, which is written before the first row goes.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from devices.models import Device, Product
from iotpanel.statements import execute

from . import pruning, rollups
from .models import Forgotten
from .pruning import Deadline
from .stores.backend import features
from .stores.backend.packed import moment
from .stores.levels import DAY, HOUR, LEVELS, floor

EVERYWHERE = 0  # the product id that stands for the platform
LEAST_DAYS = 2  # of a rollup: coarser ones are made of it a day later

ALONE = "SELECT pg_advisory_xact_lock(7104002)"  # as in rollups, but waiting
DIRTIEST = """
    SELECT (extract(epoch FROM min(hour)) * 1000000)::bigint FROM telemetry_dirtybucket
    WHERE %s OR device_id IN (SELECT id FROM devices_device WHERE product_id = %s)
"""
MARK = """
    INSERT INTO telemetry_forgotten AS row (product_id, level, property, before) VALUES (%s, %s, %s, %s)
    ON CONFLICT (product_id, level, property) DO UPDATE SET before = greatest(row.before, excluded.before)
"""
DROP_CHUNKS = "SELECT drop_chunks(%s::regclass, older_than => %s)"


class Dropped(NamedTuple):
    """Rows and chunks that a run dropped."""

    chunks: int = 0
    readings: int = 0
    events: int = 0
    buckets: int = 0


def run(*, now: int, seconds: float = 60) -> Dropped:
    """Drop what is too old at `now` (µs since 1970), at most for about so many seconds; the next run goes on."""
    deadline = Deadline(seconds)
    rollups.run(now=now, seconds=seconds / 2)
    dropped = [_platform(now, deadline)]
    for product in Product.objects.order_by("id"):
        dropped.append(_product(product, now, deadline))
    return Dropped(*map(sum, zip(*dropped, strict=True)))


# --- Raw readings and events ----------------------------------------------------------------------------------


def _platform(now: int, deadline: Deadline) -> Dropped:
    if not settings.RETENTION_DAYS:
        return Dropped()
    before = now - settings.RETENTION_DAYS * DAY
    safe = _forget_readings(EVERYWHERE, before)
    if features.active(connection):
        chunks = execute(DROP_CHUNKS, ["telemetry_report", moment(safe)]) + execute(DROP_CHUNKS, ["telemetry_event", moment(before)])
        return Dropped(chunks=len(chunks))
    devices = list(Device.objects.values_list("id", flat=True).order_by("id"))
    return _drop(devices, safe, before, deadline)


def _product(product: Product, now: int, deadline: Deadline) -> Dropped:
    devices = list(product.devices.values_list("id", flat=True).order_by("id"))
    dropped = Dropped()
    days = product.retention_days
    if days and (not settings.RETENTION_DAYS or days < settings.RETENTION_DAYS):
        before = now - days * DAY
        dropped = _drop(devices, _forget_readings(product.pk, before), before, deadline)
    return dropped._replace(buckets=_drop_rollups(product, devices, now, deadline))


def _drop(devices: list[int], readings_before: int, events_before: int, deadline: Deadline) -> Dropped:
    readings = pruning.old_rows(pruning.REPORTS, devices, readings_before, deadline)
    return Dropped(readings=readings, events=pruning.old_rows(pruning.EVENTS, devices, events_before, deadline))


def _forget_readings(product_id: int, before: int) -> int:
    """Note that readings before an instant may go; earlier where some are not rolled up yet. When it is, in µs.

    No run of the rollups and no batch is under way meanwhile, so nothing can be half seen.
    """
    with transaction.atomic():
        execute(ALONE)
        rollups.hold_batches()
        frontier = execute(rollups.FRONTIER)
        dirtiest = execute(DIRTIEST, [product_id == EVERYWHERE, product_id])[0][0]
        limits = [before, *(row[0] for row in frontier), *([dirtiest] if dirtiest is not None else [])]
        safe = floor(min(limits), HOUR)
        execute(MARK, [product_id, "raw", "", moment(safe)])
    return safe


# --- Rollups --------------------------------------------------------------------------------------------------


def _drop_rollups(product: Product, devices: list[int], now: int, deadline: Deadline) -> int:
    dropped = 0
    own = _own_properties(product)
    for name, level in LEVELS.items():
        groups = [(own, False, _days(product, name, None)), *(([one], True, _days(product, name, one)) for one in own)]
        for names, among, days in groups:
            if days is None:
                continue
            before = _forget_rollups(product.pk, name, names[0] if among else "", now - days * DAY)
            dropped += pruning.old_rollups(level, devices, before, names, among, deadline)
    return dropped


def _own_properties(product: Product) -> list[str]:
    """Properties with an age of their own, now or in the past."""
    marked = Forgotten.objects.filter(product_id=product.pk).exclude(property="").values_list("property", flat=True)
    return sorted({*_mapping(product.rollup_retention.get("properties")), *marked})


def _days(product: Product, level: str, property: str | None) -> int | None:
    """For how many days a level is kept, None for good: the property's, else the product's, else the platform's.

    Hours are kept at least as long as readings, because a late reading makes their day anew.
    """
    own = _mapping(_mapping(product.rollup_retention.get("properties")).get(property))
    days = next((ages[level] for ages in (own, product.rollup_retention, settings.ROLLUP_DAYS) if level in ages), None)
    if not isinstance(days, int) or days <= 0:
        return None
    raw = min((some for some in (product.retention_days, settings.RETENTION_DAYS) if some), default=None)
    if level == "hour" and (raw is None or raw > days):
        return raw
    return max(days, LEAST_DAYS)


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _forget_rollups(product_id: int, level: str, property: str, before: int) -> int:
    """Note that a level's buckets before an instant may go, as far as coarser ones are made of them. When it is, in µs."""
    [(rolled_up_to, _)] = execute(rollups.FRONTIER) or [(0, 0)]
    safe = floor(min(before, rolled_up_to), DAY)
    execute(MARK, [product_id, level, property, moment(safe)])
    return safe
