"""Rollups: what is written where, that a run may die anywhere, and that others in the way are no harm."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from devices.messages import Report
from devices.timestamps import to_datetime
from iotpanel.statements import execute
from telemetry import latest, rollups
from telemetry.models import DirtyBucket, RollupDay, RollupFrontier, RollupHour, RollupMinute
from telemetry.stores.levels import DAY, HOUR, MINUTE
from telemetry.stores.timescale import TimescaleStore

T0 = 1_767_225_600_000_000  # 2026-01-01, a midnight of UTC

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def from_new_year() -> None:
    RollupFrontier.objects.update_or_create(id=1, defaults={"sealed_to": to_datetime(T0), "rolled_up_to": to_datetime(T0)})


def write(*readings: tuple[int, Any], device_id: int = 1, name: str = "t") -> None:
    reports = [Report(device_id, T0 + offset, {name: value}, T0) for offset, value in readings]
    TimescaleStore().write(reports)
    latest.merge(reports)


def minutes(**filters: Any) -> list[tuple[int, int, Any]]:
    """(minute since T0, count, last)"""
    rows = RollupMinute.objects.filter(**filters).order_by("device_id", "property", "bucket")
    return [((row.bucket - to_datetime(T0)) // timedelta(minutes=1), row.count, row.last) for row in rows]


def test_minutes_hours_and_days() -> None:
    write((0, 1), (30_000_000, 3), (MINUTE, 10), (HOUR, 5), (DAY - 1, 7))
    rollups.run(now=T0 + DAY + 2 * MINUTE)
    assert minutes() == [(0, 2, 3), (1, 1, 10), (60, 1, 5), (1439, 1, 7)]
    assert [
        (row.count, row.numbers, row.total, row.low, row.high, row.first, row.last) for row in RollupHour.objects.order_by("bucket")
    ] == [
        (3, 3, 14, 1, 10, 1, 10),
        (1, 1, 5, 5, 5, 5, 5),
        (1, 1, 7, 7, 7, 7, 7),
    ]
    day = RollupDay.objects.get()
    assert (day.count, day.total, day.low, day.high, day.first, day.last) == (5, 26, 1, 10, 1, 7)
    assert (day.bucket, day.first_at, day.last_at) == (to_datetime(T0), to_datetime(T0), to_datetime(T0 + DAY - 1))


def test_what_has_not_settled_waits() -> None:
    write((0, 1), (2 * MINUTE, 2))
    rollups.run(now=T0 + 2 * MINUTE + MINUTE - 1)
    assert minutes() == [(0, 1, 1)]
    assert RollupFrontier.objects.get().rolled_up_to == to_datetime(T0 + MINUTE)


def test_late_data_are_counted() -> None:
    write((0, 1), (DAY + HOUR, 1))
    rollups.run(now=T0 + 2 * DAY)
    write((1, 2), (HOUR, 9), device_id=1)
    assert DirtyBucket.objects.count() == 2
    assert rollups.run(now=T0 + 2 * DAY).recomputed == 2
    assert minutes() == [(0, 2, 2), (60, 1, 9), (1500, 1, 1)]
    assert RollupDay.objects.get(bucket=to_datetime(T0)).count == 3
    assert not DirtyBucket.objects.exists()


def test_a_changed_value_is_counted_anew() -> None:
    write((0, 1))
    rollups.run(now=T0 + HOUR + MINUTE)
    write((0, 5))
    rollups.run(now=T0 + HOUR + MINUTE)
    assert (minutes(), RollupHour.objects.get().total) == ([(0, 1, 5)], 5)


def test_late_data_of_an_hour_that_is_under_way() -> None:
    write((0, 1))
    rollups.run(now=T0 + 10 * MINUTE)
    write((MINUTE, 2), (20 * MINUTE, 3))
    rollups.run(now=T0 + 10 * MINUTE)
    assert minutes() == [(0, 1, 1), (1, 1, 2)]
    rollups.run(now=T0 + HOUR + MINUTE)
    assert minutes() == [(0, 1, 1), (1, 1, 2), (20, 1, 3)]
    assert RollupHour.objects.get().count == 3


def test_a_run_that_dies_is_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    write((0, 1), (HOUR, 2), (2 * HOUR, 3))
    rollups.begin(T0 + 4 * HOUR)
    rollups.advance()  # and no more: the worker was killed
    write((1, 9))
    rollups.begin(T0 + 4 * HOUR)  # claims, and dies
    assert DirtyBucket.objects.get().claimed
    write((2, 8))  # late again, while the claim lies there
    assert DirtyBucket.objects.count() == 2
    rollups.run(now=T0 + 4 * HOUR)
    rollups.run(now=T0 + 4 * HOUR)
    assert minutes() == [(0, 3, 8), (60, 1, 2), (120, 1, 3)]
    assert not DirtyBucket.objects.exists()


def test_a_run_is_bounded_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    write(*((index * HOUR, index) for index in range(5)))
    done = rollups.run(now=T0 + 6 * HOUR, seconds=0)
    assert done.rolled_up_to == T0 + rollups.AT_ONCE
    while done.rolled_up_to < T0 + 5 * HOUR:
        done = rollups.run(now=T0 + 6 * HOUR, seconds=0)
    assert len(minutes()) == 5


def test_long_names_have_no_rollups_and_harm_none() -> None:
    write((0, 1), name="x" * 300)
    write((0, 2))
    rollups.run(now=T0 + DAY + MINUTE)
    assert RollupMinute.objects.get().property == "t"
    assert RollupDay.objects.get().property == "t"


def test_a_lost_frontier_costs_nothing() -> None:
    RollupFrontier.objects.all().delete()
    write((90_000_000, 1), (DAY, 2), (9 * DAY, 3), device_id=7)
    rollups.run(now=T0 + 2 * DAY)
    assert minutes() == [(1, 1, 1), (1440, 1, 2)]
    assert RollupFrontier.objects.get().rolled_up_to == to_datetime(T0 + 2 * DAY - MINUTE)


@pytest.fixture
def somebody_else(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """A second connection, as another worker's."""
    connection.ensure_connection()
    info = connection.connection.info
    with psycopg.connect(**info.get_parameters(), password=info.password) as other:
        yield other


@pytest.mark.django_db(transaction=True)
def test_another_run_is_left_alone(somebody_else: psycopg.Connection[Any]) -> None:
    write((0, 1))
    somebody_else.execute("SELECT pg_advisory_xact_lock(7104002)")
    assert rollups.run(now=T0 + HOUR).rolled_up_to == T0
    somebody_else.rollback()
    assert rollups.run(now=T0 + HOUR).rolled_up_to == T0 + HOUR - MINUTE


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sealed_while_a_batch_is_under_way(somebody_else: psycopg.Connection[Any]) -> None:
    """The batch saw the old seal: had it moved meanwhile, its readings would be late and unmarked."""
    somebody_else.execute("SELECT telemetry_frontier()")
    assert not rollups.begin(T0 + HOUR)
    assert RollupFrontier.objects.get().sealed_to == to_datetime(T0)
    somebody_else.commit()
    assert rollups.begin(T0 + HOUR)


@pytest.mark.django_db(transaction=True)
def test_a_batch_waits_for_the_seal_and_then_sees_it(somebody_else: psycopg.Connection[Any]) -> None:
    somebody_else.execute("SELECT pg_advisory_xact_lock(7104001)")
    somebody_else.execute("UPDATE telemetry_rollupfrontier SET sealed_to = '2026-01-02 00:00Z'")
    execute("SET lock_timeout = '200ms'")
    try:
        with pytest.raises(Exception, match="lock timeout"):
            TimescaleStore().write([Report(1, T0, {"t": 1}, T0)])
        somebody_else.commit()
        TimescaleStore().write([Report(1, T0 + HOUR, {"t": 1}, T0)])
    finally:
        execute("SET lock_timeout = 0")
    assert DirtyBucket.objects.get().hour == to_datetime(T0 + HOUR)
