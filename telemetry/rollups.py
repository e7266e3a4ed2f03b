"""Keeps the rollups up to date: minutes from readings, hours from minutes, days from hours, late data included.

Each step is one bounded transaction that leaves everything true, so a run may die at any point. `sealed_to` runs
ahead: older data mark their hour dirty from then on. `rolled_up_to` follows in steps that cut no hour. Dirty hours are
claimed in portions and rolled up again. See telemetry/stores/late.py for the batches' side.
"""

import time
from typing import NamedTuple

from django.db import OperationalError, transaction

from iotpanel.statements import execute

from .rollup_sql import Spans, active, claimed, roll_up_days, roll_up_hours, roll_up_minutes
from .stores.backend.packed import moment
from .stores.levels import DAY, HOUR, MINUTE, floor

SETTLES = MINUTE  # so much time a reading has to come in before it counts as late
AT_ONCE = 10 * MINUTE  # the longest stretch of one transaction, when there is much to catch up on
CLAIM_AT_ONCE = 2000
RECOMPUTE_AT_ONCE = 100

# Whoever rolls up, drops or erases holds this, so that no two of them meet.
ALONE = "SELECT pg_try_advisory_xact_lock(7104002)"
# The other side of telemetry_frontier(): for a moment no batch is under way.
NO_BATCHES = "SELECT pg_advisory_xact_lock(7104001)"
# A database whose frontier was lost: from now on, with everything before it to be done again.
START = """
    WITH started AS (
        INSERT INTO telemetry_rollupfrontier (id, sealed_to, rolled_up_to) VALUES (1, %s, %s)
        ON CONFLICT (id) DO NOTHING RETURNING sealed_to
    )
    INSERT INTO telemetry_dirtybucket (device_id, hour, claimed)
    SELECT DISTINCT device_id, date_trunc('hour', at, 'UTC'), false FROM telemetry_report, started WHERE at < sealed_to
    ON CONFLICT DO NOTHING
"""
MOVE_SEAL = "UPDATE telemetry_rollupfrontier SET sealed_to = greatest(sealed_to, %s)"
CLAIM = """
    WITH taken AS (
        DELETE FROM telemetry_dirtybucket WHERE NOT claimed AND (device_id, hour) IN (
            SELECT device_id, hour FROM telemetry_dirtybucket WHERE NOT claimed LIMIT %s
        ) RETURNING device_id, hour
    )
    INSERT INTO telemetry_dirtybucket (device_id, hour, claimed) SELECT device_id, hour, true FROM taken ON CONFLICT DO NOTHING
"""
FRONTIER = """
    SELECT (extract(epoch FROM rolled_up_to) * 1000000)::bigint, (extract(epoch FROM sealed_to) * 1000000)::bigint
    FROM telemetry_rollupfrontier
"""


class Done(NamedTuple):
    """What a run did: how far time is rolled up (µs since 1970), and how many dirty hours were."""

    rolled_up_to: int
    recomputed: int


def run(*, now: int | None = None, seconds: float = 20) -> Done:
    """Roll up what has settled by `now` (µs since 1970), at most for about so many seconds.

    Another run under way is left alone. Time and dirty hours get half of the time each.
    """
    began = time.monotonic()
    begin(now if now is not None else time.time_ns() // 1000)
    while advance() and time.monotonic() - began < seconds / 2:
        pass
    recomputed = 0
    while time.monotonic() - began < seconds and (some := recompute()):
        recomputed += some
    frontier = execute(FRONTIER)
    return Done(frontier[0][0] if frontier else 0, recomputed)


@transaction.atomic
def begin(now: int) -> bool:
    """Seal the minutes that have settled and claim dirty hours; False where batches or another run are in the way."""
    if not _alone():
        return False
    try:
        with transaction.atomic():
            hold_batches()
    except OperationalError:  # a batch takes long: the next run will do it
        return False
    sealed_to = moment(floor(now - SETTLES, MINUTE))
    execute(START, [sealed_to, sealed_to])
    execute(MOVE_SEAL, [sealed_to])
    if not execute("SELECT 1 FROM telemetry_dirtybucket WHERE claimed LIMIT 1"):
        execute(CLAIM, [CLAIM_AT_ONCE])
    return True


@transaction.atomic
def advance() -> bool:
    """Roll up the next stretch of sealed time; False where there is none, or another run is at it."""
    if not _alone() or not (frontier := execute(FRONTIER)):
        return False
    [(start, sealed_to)] = frontier
    end = min(sealed_to, start + AT_ONCE, floor(start, HOUR) + HOUR)
    if start >= end:
        return False
    roll_up_minutes(active(start, end))
    if end % HOUR == 0:
        roll_up_hours(active(end - HOUR, end))
    if end % DAY == 0:
        roll_up_days(active(end - DAY, end))
    execute("UPDATE telemetry_rollupfrontier SET rolled_up_to = %s", [moment(end)])
    return end < sealed_to


@transaction.atomic
def recompute() -> int:
    """Roll up some claimed hours again; how many. Time that isn't rolled up yet is left to `advance`."""
    if not _alone() or not (frontier := execute(FRONTIER)):
        return 0
    rolled_up_to = frontier[0][0]
    hours = claimed(RECOMPUTE_AT_ONCE)
    for intact in (True, False):
        some = [hour for hour in hours if hour.intact == intact]
        _recompute([(hour.device_id, hour.hour) for hour in some], rolled_up_to, replace=intact)
        days = {(hour.device_id, floor(hour.hour, DAY)) for hour in hours if hour.day_intact == intact}
        roll_up_days(Spans.of([(device, day, day + DAY) for device, day in sorted(days) if day + DAY <= rolled_up_to]), replace=intact)
    for hour in hours:
        execute("DELETE FROM telemetry_dirtybucket WHERE claimed AND device_id = %s AND hour = %s", [hour.device_id, moment(hour.hour)])
    return len(hours)


def _recompute(hours: list[tuple[int, int]], rolled_up_to: int, *, replace: bool) -> None:
    spans = [(device, hour, min(hour + HOUR, rolled_up_to)) for device, hour in hours]
    roll_up_minutes(Spans.of(spans), replace=replace)
    roll_up_hours(Spans.of([span for span in spans if span[2] - span[1] == HOUR]), replace=replace)


def hold_batches() -> None:
    """Wait until no batch is under way, and let none begin before this transaction ends, which must be soon.

    Raises OperationalError where a batch takes too long.
    """
    execute("SET LOCAL lock_timeout = '2s'")
    execute(NO_BATCHES)
    execute("SET LOCAL lock_timeout = DEFAULT")


def _alone() -> bool:
    return bool(execute(ALONE)[0][0])
