"""What is dropped, what stays, and that nothing goes before it is rolled up."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from devices.messages import EventReport, Report
from devices.models import Device, Product
from devices.timestamps import to_datetime
from iotpanel.tenants.models import Tenant
from telemetry import events, latest, ledger, old_records, retention, rollups
from telemetry.models import (
    DeadLetterRecord,
    DirtyBucket,
    Event,
    Forgotten,
    LedgerHour,
    ReportRow,
    RollupDay,
    RollupFrontier,
    RollupHour,
    RollupMinute,
)
from telemetry.stores.levels import DAY, HOUR, MINUTE
from telemetry.stores.timescale import TimescaleStore
from tests.make import make_device, make_product

NOW = 1_767_225_600_000_000  # 2026-01-01

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def a_year(settings: LazySettings) -> None:
    settings.RETENTION_DAYS = 365
    settings.ROLLUP_DAYS = {"minute": 0, "hour": 0, "day": 0}
    RollupFrontier.objects.update_or_create(id=1, defaults={"sealed_to": to_datetime(NOW), "rolled_up_to": to_datetime(NOW)})


@pytest.fixture
def product(tenant: Tenant) -> Product:
    return make_product(tenant)


@pytest.fixture
def device(product: Product) -> Device:
    return make_device(product=product)


def write(device: Device, *days_ago: int, name: str = "t") -> None:
    reports = [Report(device.pk, NOW - days * DAY + HOUR, {name: days}, NOW) for days in days_ago]
    TimescaleStore().write(reports)
    latest.merge(reports)
    events.write([EventReport(device.pk, report.at, "seen", {}, NOW) for report in reports])


def ages(model: Any, **filters: Any) -> list[int]:
    """How many days ago the rows are, by the day."""
    column = "bucket" if hasattr(model, "bucket") else "at"
    found = model.objects.filter(**filters).values_list(column, flat=True)
    return sorted({(to_datetime(NOW + HOUR) - at) // timedelta(days=1) for at in found})


def run() -> retention.Dropped:
    return retention.run(now=NOW + 3 * MINUTE)


def test_the_platforms_ceiling(device: Device) -> None:
    write(device, 800, 700, 10, 1)
    run()
    assert ages(ReportRow) == [1, 10]
    assert ages(Event) == [1, 10]
    assert ages(RollupDay) == [1, 10, 700, 800], "what was dropped had been rolled up"


def test_zero_days_keep_for_good(device: Device, settings: LazySettings) -> None:
    settings.RETENTION_DAYS = 0
    write(device, 3000, 1)
    assert not any(run())
    assert ages(ReportRow) == [1, 3000]


def test_a_product_keeps_less(device: Device, tenant: Tenant) -> None:
    other = make_device(tenant)
    Product.objects.filter(pk=device.product_id).update(retention_days=5)
    for one in (device, other):
        write(one, 20, 6, 4)
    run()
    assert ages(ReportRow, device_id=device.pk) == [4]
    assert ages(Event, device_id=device.pk) == [4]
    assert ages(ReportRow, device_id=other.pk) == [4, 6, 20]
    assert ages(RollupMinute, device_id=device.pk) == [4, 6, 20]


def test_nothing_goes_before_it_is_rolled_up(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    Product.objects.filter(pk=device.product_id).update(retention_days=5)
    write(device, 20, 6)
    with monkeypatch.context() as patch:
        patch.setattr(rollups, "run", lambda **_: None)  # the rollups are stuck
        run()
        assert ages(ReportRow) == [6, 20]
    run()
    assert ages(ReportRow) == [] and ages(RollupDay) == [6, 20]


def test_time_that_is_not_rolled_up_stays(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck_at = to_datetime(NOW - 10 * DAY)
    RollupFrontier.objects.update(sealed_to=stuck_at, rolled_up_to=stuck_at)
    monkeypatch.setattr(rollups, "run", lambda **_: None)
    Product.objects.filter(pk=device.product_id).update(retention_days=5)
    write(device, 9, 8)
    run()
    assert ages(ReportRow) == [8, 9]


def test_a_late_report_of_forgotten_time_changes_no_rollup(device: Device) -> None:
    Product.objects.filter(pk=device.product_id).update(retention_days=5)
    write(device, 20)
    run()
    late = [Report(device.pk, NOW - 20 * DAY + HOUR + 1, {"t": 99, "new": 1}, NOW)]
    TimescaleStore().write(late)
    latest.merge(late)
    run()
    assert RollupDay.objects.get(property="t").last == 20, "the only copy is not overwritten by what is left"
    assert RollupDay.objects.get(property="new").count == 1, "what was missing is filled in"
    assert not DirtyBucket.objects.exists() and not ReportRow.objects.exists()


def test_longer_retention_afterwards_brings_no_harm(device: Device) -> None:
    Product.objects.filter(pk=device.product_id).update(retention_days=5)
    write(device, 20)
    run()
    Product.objects.filter(pk=device.product_id).update(retention_days=None)
    late = [Report(device.pk, NOW - 20 * DAY + HOUR + 1, {"t": 99}, NOW)]
    TimescaleStore().write(late)
    latest.merge(late)
    run()
    assert RollupDay.objects.get(property="t").last == 20


def test_rollups_by_level(device: Device) -> None:
    Product.objects.filter(pk=device.product_id).update(retention_days=5, rollup_retention={"minute": 3, "hour": 10, "day": 30})
    write(device, 100, 20, 8, 4, 2)
    run()
    run()
    assert ages(RollupMinute) == [2]
    assert ages(RollupHour) == [2, 4, 8]
    assert ages(RollupDay) == [2, 4, 8, 20]


def test_the_platforms_rollup_days_hold_where_a_product_says_nothing(device: Device, settings: LazySettings) -> None:
    settings.ROLLUP_DAYS = {"minute": 3, "hour": 0, "day": 0}
    write(device, 10, 2)
    run()
    run()
    assert ages(RollupMinute) == [2] and ages(RollupDay) == [2, 10]


def test_a_property_of_its_own_age(device: Device) -> None:
    own = {"minute": 3, "properties": {"energy": {"minute": 50}, "noise": {"minute": 2}}}
    Product.objects.filter(pk=device.product_id).update(rollup_retention=own)
    for name in ("t", "energy", "noise"):
        write(device, 60, 40, 2, 1, name=name)
    run()
    run()
    assert ages(RollupMinute, property="t") == [1, 2]
    assert ages(RollupMinute, property="energy") == [1, 2, 40]
    assert ages(RollupMinute, property="noise") == [1, 2]


def test_hours_stay_as_long_as_readings(device: Device) -> None:
    Product.objects.filter(pk=device.product_id).update(retention_days=30, rollup_retention={"hour": 3})
    write(device, 40, 20, 1)
    run()
    run()
    assert ages(RollupHour) == [1, 20]


def test_history_reads_around_what_was_dropped(device: Device) -> None:
    """Minutes are gone and readings are not: the readings answer."""
    Product.objects.filter(pk=device.product_id).update(rollup_retention={"minute": 3})
    write(device, 10, 1)
    run()
    run()
    edges = [NOW - 11 * DAY, *range(NOW - 11 * DAY + 5 * MINUTE, NOW, 5 * MINUTE), NOW]
    found = TimescaleStore().summaries(device.pk, "t", edges).by_bucket
    assert [summary.last for _, summary in sorted(found.items())] == [10, 1]


def test_nonsense_in_a_product_keeps_for_good(device: Device) -> None:
    Product.objects.filter(pk=device.product_id).update(rollup_retention={"minute": "soon", "hour": -1, "properties": [1]})
    write(device, 300, 1)
    run()
    assert ages(RollupMinute) == [1, 300]


def test_marks_only_move_forward(product: Product, device: Device) -> None:
    write(device, 20)
    Product.objects.filter(pk=product.pk).update(retention_days=5)
    run()
    Product.objects.filter(pk=product.pk).update(retention_days=15)
    run()
    assert Forgotten.objects.get(product_id=product.pk, level="raw").before == to_datetime(NOW - 5 * DAY)


def test_old_dead_letters_and_ledger_go(tenant: Tenant, device: Device, settings: LazySettings) -> None:
    settings.DEAD_LETTER_DAYS, settings.LEDGER_DAYS = 7, 30
    now = timezone.now()
    for days in (8, 6):
        DeadLetterRecord.objects.create(tenant=tenant, topic="t", reason="bad_value", payload=b"", received_at=now - timedelta(days=days))
    for days in (31, 29):
        LedgerHour.objects.create(device_id=device.pk, hour=now - timedelta(days=days))
    ledger.append({device.pk: [1, 1, 0, 0, 0, 0]})
    ledger.fold()
    assert old_records.drop(now=now) == 2
    assert DeadLetterRecord.objects.count() == 1 and LedgerHour.objects.count() == 2
