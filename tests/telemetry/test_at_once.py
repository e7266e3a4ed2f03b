"""The short way writes exactly what the long one writes, and nothing where it can't."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.messages import Report
from iotpanel.statements import execute
from telemetry import at_once, latest, ledger
from telemetry.models import RollupFrontier
from telemetry.stores import store
from telemetry.stores.base import Written

pytestmark = pytest.mark.django_db

T0 = 1_790_000_000_000_000  # µs since 1970
HOUR = 3_600_000_000
VALUES = st.dictionaries(
    st.sampled_from(["t", "h", "note", "é"]),
    st.one_of(
        st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.text(max_size=4), st.none()
    ),
    max_size=3,
)
REPORTS = st.builds(
    lambda device, at, values: Report(device, at, values, at),
    st.integers(1, 4),
    st.integers(-4, 4).map(lambda step: T0 + step * HOUR // 2),
    VALUES,
)
TABLES = {
    "report": "SELECT device_id, at, values FROM telemetry_report ORDER BY 1, 2",
    "latest": "SELECT device_id, newest_at, merged_from, values FROM telemetry_latest ORDER BY 1",
    "late": "SELECT device_id, hour FROM telemetry_dirtybucket ORDER BY 1, 2",
    "ledger": f"SELECT devices, {ledger.COLUMNS} FROM telemetry_ledgerentry ORDER BY id",
}


def rows() -> dict[str, list[tuple[Any, ...]]]:
    return {name: execute(query) for name, query in TABLES.items()}


def counted(reports: Sequence[Report]) -> dict[int, list[int]]:
    """All of them stored."""
    counts: dict[int, list[int]] = {}
    for report in reports:
        mine = counts.setdefault(report.device_id, [0] * len(ledger.NAMES))
        mine[0] += 1
        mine[1] += 1
    return counts


def write_the_long_way(reports: Sequence[Report]) -> bool:
    """Whether all were stored, which is what the short way takes."""
    verdicts = store().write(reports)
    latest.merge([report for report, verdict in zip(reports, verdicts, strict=True) if verdict is Written.STORED])
    ledger.append(counted(reports))
    return verdicts == [Written.STORED] * len(reports)


class Undo(Exception):
    """Ends a transaction that leaves nothing."""


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(REPORTS, max_size=6), st.lists(REPORTS, min_size=1, max_size=6))
def test_both_ways_write_the_same(before: list[Report], batch: list[Report]) -> None:
    RollupFrontier.objects.update(sealed_to=moment(T0))
    found: dict[bool, Any] = {}
    for short in (True, False):
        try:
            with transaction.atomic():
                if before:
                    write_the_long_way(before)
                untouched = rows()
                done = at_once.write(batch, counted(batch)) if short else write_the_long_way(batch)
                found[short] = done, rows()
                if short and not done:
                    assert rows() == untouched
                raise Undo
        except Undo:
            pass
    (short, by_short), (long, by_long) = found[True], found[False]
    distinct = len({report[:2] for report in batch}) == len(batch)
    met = {report[:2] for report in before} & {report[:2] for report in batch}
    assert short is (distinct and not met)
    if short:
        assert long
        assert by_short == by_long


def moment(at: int) -> Any:
    [(found,)] = execute("SELECT 'epoch'::timestamptz + %s * interval '1 microsecond'", [at])
    return found


@pytest.mark.parametrize("poison", ["\u0000", "\ud800", 2**70])
def test_what_the_database_refuses_is_left_to_the_long_way(poison: Any) -> None:
    reports = [Report(1, T0, {"t": 1}, T0), Report(2, T0, {"t": poison}, T0)]
    assert not at_once.write(reports, counted(reports))
    assert not any(rows().values())
    assert store().write(reports)[0] is Written.STORED  # the transaction is as good as before


def test_a_batch_of_rows_is_copied() -> None:
    reports = [Report(1, T0 + number, {"t": 1}, T0) for number in range(at_once.MOST + 1)]
    assert not at_once.write(reports, counted(reports))
    assert not at_once.write([], {})
    assert not any(rows().values())
