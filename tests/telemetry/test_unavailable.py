"""What isn't the data's fault is Unavailable: nothing is thrown away for it, and nothing is half written."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from devices.exceptions import Unavailable
from devices.messages import AttributeReport, EventReport, Report
from iotpanel.statements import execute
from telemetry import attributes, events, latest
from telemetry.models import Latest, ReportRow
from telemetry.stores.timescale import TimescaleStore
from tests.make import make_device

T0 = 1_767_225_600_000_000
WRITERS: dict[str, Callable[[], Any]] = {
    "store": lambda: TimescaleStore().write([Report(1, T0, {"t": 1}, T0)]),
    "latest": lambda: latest.merge([Report(1, T0, {"t": 1}, T0)]),
    "events": lambda: events.write([EventReport(1, T0, "e", {}, T0)]),
    "attributes": lambda: attributes.write_reported([AttributeReport(1, T0, {"a": 1}, T0)]),
}
TABLES = {"store": "telemetry_report", "latest": "telemetry_latest", "events": "telemetry_event", "attributes": "telemetry_attribute"}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("name", WRITERS)
def test_a_database_that_only_reads(name: str) -> None:
    with pytest.raises(Unavailable), transaction.atomic():
        execute("SET TRANSACTION READ ONLY")
        WRITERS[name]()
    assert not ReportRow.objects.exists() and not Latest.objects.exists()


@pytest.mark.parametrize("name", WRITERS)
def test_a_table_that_is_missing_is_for_an_operator_to_mend(name: str) -> None:
    execute(f"ALTER TABLE {TABLES[name]} RENAME TO away")
    try:
        with pytest.raises(Unavailable), transaction.atomic():
            WRITERS[name]()
    finally:
        execute(f"ALTER TABLE away RENAME TO {TABLES[name]}")


@pytest.mark.parametrize("name", WRITERS)
def test_a_connection_that_was_cut(name: str) -> None:
    try:
        with pytest.raises(Unavailable), transaction.atomic():
            [(own,)] = execute("SELECT pg_backend_pid()")
            _from_elsewhere(lambda: execute("SELECT pg_terminate_backend(%s)", [own]))
            WRITERS[name]()
    finally:
        connection.close()
    assert not ReportRow.objects.exists()


def test_a_batch_that_fails_later_leaves_nothing() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        TimescaleStore().write([Report(1, T0, {"t": 1}, T0), Report(1, T0, {"t": "\0"}, T0)])
        raise RuntimeError
    assert not ReportRow.objects.exists()


def test_two_workers_with_the_same_reports_in_other_orders() -> None:
    """Each row is stored once, both get through, and nobody waits for the other for ever."""
    device = make_device()
    batch = [Report(device.pk, T0 + place % 40, {"t": place}, T0) for place in range(200)]
    stored: list[int] = []

    def work(reports: list[Report]) -> None:
        while True:
            try:
                with transaction.atomic():
                    verdicts = TimescaleStore().write(reports)
                    latest.merge(reports)
            except Unavailable:  # a deadlock: the same batch again, as the batcher does
                continue
            stored.append(len(verdicts))
            return

    threads = [threading.Thread(target=_closing, args=(work, order)) for order in (batch, batch[::-1], batch[100:] + batch[:100])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert stored == [200, 200, 200]
    assert ReportRow.objects.count() == 40


def _from_elsewhere(action: Callable[[], Any]) -> None:
    thread = threading.Thread(target=_closing, args=(lambda _: action(), None))
    thread.start()
    thread.join()


def _closing(action: Callable[[Any], Any], argument: Any) -> None:
    try:
        action(argument)
    finally:
        connection.close()
