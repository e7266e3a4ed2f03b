"""The ledger: right before, while and after it is folded."""

import random
from datetime import timedelta
from importlib import import_module

import pytest
from django.utils import timezone

from iotpanel import statements
from iotpanel.tenants.models import Tenant
from telemetry import ledger
from telemetry.ledger import Counts
from telemetry.models import LedgerEntry, LedgerHour
from tests.make import make_device

pytestmark = pytest.mark.django_db


def by_device(*ids: int) -> dict[int, Counts]:
    now = timezone.now()
    return ledger.by_device(ids, since=now - timedelta(hours=1), until=now + timedelta(hours=1))


def total(tenant: Tenant | None) -> Counts:
    now = timezone.now()
    return ledger.total(tenant, since=now - timedelta(hours=1), until=now + timedelta(hours=1))


def test_counts_are_right_at_every_moment(tenant: Tenant) -> None:
    one, other = make_device(tenant), make_device(tenant)
    ledger.append({one.pk: [3, 1, 1, 0, 1, 5], other.pk: [2, 2, 0, 0, 0, 0]})
    ledger.append({one.pk: [1, 0, 0, 1, 0, 0], 0: [4, 0, 0, 0, 4, 0]})
    expected = {one.pk: Counts(4, 1, 1, 1, 1, 5), other.pk: Counts(2, 2, 0, 0, 0, 0), 0: Counts(4, 0, 0, 0, 4, 0)}
    assert by_device(one.pk, other.pk, 0) == expected
    assert ledger.fold() == 2
    assert by_device(one.pk, other.pk, 0) == expected
    ledger.append({one.pk: [1, 1, 0, 0, 0, 0]})
    assert by_device(one.pk) == {one.pk: Counts(5, 2, 1, 1, 1, 5)}
    ledger.fold()
    assert by_device(one.pk) == {one.pk: Counts(5, 2, 1, 1, 1, 5)}
    assert not LedgerEntry.objects.exists()


def test_a_tenant_sees_its_own(tenant: Tenant, other_tenant: Tenant) -> None:
    ledger.append({make_device(tenant).pk: [1, 1, 0, 0, 0, 0], make_device(other_tenant).pk: [7, 7, 0, 0, 0, 0], 0: [2, 0, 0, 0, 2, 0]})
    assert total(tenant).received == 1
    assert total(None).received == 10
    assert total(Tenant.objects.create(key="new", name="New")) == Counts()


def test_a_device_that_is_gone_counts_as_unknown() -> None:
    ledger.append({123_456: [2, 2, 0, 0, 0, 0]})
    ledger.fold()
    assert by_device(0) == {0: Counts(2, 2, 0, 0, 0, 0)}


def test_the_hours_are_told_apart(tenant: Tenant) -> None:
    device = make_device(tenant)
    ledger.append({device.pk: [1, 1, 0, 0, 0, 0]})
    LedgerEntry.objects.update(at=timezone.now() - timedelta(hours=3))
    ledger.append({device.pk: [5, 5, 0, 0, 0, 0]})
    ledger.fold()
    now = timezone.now()
    assert LedgerHour.objects.count() == 2
    assert [counts.received for _, counts in ledger.by_hour([device.pk], since=now - timedelta(hours=5), until=now)] == [1, 5]
    assert ledger.by_device([device.pk], since=now - timedelta(hours=1), until=now + timedelta(hours=1))[device.pk].received == 5


@pytest.mark.parametrize("nested", [False, True], ids=["as it likes", "by nested loops"])
def test_many_batches_fold_in_portions_however_the_server_plans(nested: bool, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "FOLD_AT_ONCE", 3)
    monkeypatch.setattr(ledger, "REST", 0)
    device = make_device(tenant)
    for _ in range(7):
        ledger.append({device.pk: [1, 1, 0, 0, 0, 0]})
    for way in ("hashjoin", "mergejoin", "material", "hashagg", "sort", "memoize") if nested else ():
        statements.execute(f"SET LOCAL enable_{way} = off")
    assert ledger.fold() == 7
    assert by_device(device.pk)[device.pk].received == 7


@pytest.mark.parametrize(("batches", "rests"), [(2, 2), (5, 3)], ids=["a few", "far behind"])
def test_the_fold_rests_between_portions_unless_it_is_far_behind(
    batches: int, rests: int, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(ledger, "FOLD_AT_ONCE", 1)
    monkeypatch.setattr(ledger, "RESTS", 3)
    monkeypatch.setattr("telemetry.ledger.time.sleep", slept.append)
    device = make_device(tenant)
    for _ in range(batches):
        ledger.append({device.pk: [1, 1, 0, 0, 0, 0]})
    assert ledger.fold() == batches
    assert slept == [ledger.REST] * rests


@pytest.mark.parametrize("seed", range(5))
def test_the_fold_adds_up_whatever_batches_hold(seed: int, tenant: Tenant) -> None:
    """Columns in which all is 0 are not there at all, and lists of a batch are of its own length."""
    chance = random.Random(seed)
    devices = [make_device(tenant, key=f"d-{number}").pk for number in range(6)]
    expected = {pk: [0] * 6 for pk in devices}
    for _ in range(20):
        some = chance.sample(devices, chance.randint(1, 6))
        columns = [chance.random() < 0.4 for _ in range(6)]
        counts = {pk: [chance.randint(0, 9) if column else 0 for column in columns] for pk in some}
        for pk, numbers in counts.items():
            expected[pk] = [before + number for before, number in zip(expected[pk], numbers, strict=True)]
        ledger.append(counts)
    before = by_device(*devices)
    ledger.fold()
    assert by_device(*devices) == before == {pk: ledger.Counts(*numbers) for pk, numbers in expected.items()}


def test_an_empty_batch_leaves_no_trace() -> None:
    ledger.append({})
    assert not LedgerEntry.objects.exists()
    assert ledger.fold() == 0


def test_throughput_counts_folded_and_fresh(tenant: Tenant) -> None:
    device = make_device(tenant)
    now = timezone.now()
    for _ in range(2):
        ledger.append({device.pk: [120, 60, 60, 0, 0, 0], 0: [9, 9, 0, 0, 0, 0]})
        ledger.fold()
    ledger.append({device.pk: [60, 60, 0, 0, 0, 0]})
    found = ledger.stored_per_second(tenant, since=now - timedelta(minutes=5), until=now + timedelta(minutes=1))
    assert 6 <= len(found) <= 8
    assert sum(rate * 60 for _, rate in found) == 180
    assert all(at % 60_000 == 0 for at, _ in found)


def test_entries_of_before_become_columns() -> None:
    """The table as it was, under its name; whoever upgrades has some that are not folded yet."""
    spread = import_module("telemetry.migrations.0011_ledger_columns").SPREAD
    columns = ", ".join(f"{name} bigint[]" for name in ("devices", *ledger.NAMES))
    statements.execute(f"CREATE TEMPORARY TABLE telemetry_ledgerentry (counts jsonb, {columns}) ON COMMIT DROP")
    statements.execute("INSERT INTO telemetry_ledgerentry VALUES ('[[7, 2, 2], [0, 3, 0, 1, 1, 1, 4]]')")
    statements.execute(spread)
    found = statements.execute(f"SELECT devices, {ledger.COLUMNS} FROM telemetry_ledgerentry")
    assert found == [([7, 0], [2, 3], [2, 0], [0, 1], [0, 1], [0, 1], [0, 4])]
