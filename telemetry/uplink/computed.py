"""Readings that the platform reckons itself: stored as any other, and counted as received with the source `computed`."""

from collections.abc import Mapping, Sequence

from django.db import transaction

from devices.exceptions import Invalid
from devices.messages import Report
from iotpanel import metrics
from telemetry import latest, ledger
from telemetry.live import publisher
from telemetry.stores import store
from telemetry.stores.base import Written

from .findings import DUPLICATE, RECEIVED, REJECTED, STORED

SOURCE = "computed"


def write(reports: Sequence[Report], keys: Mapping[int, str]) -> list[Report]:
    """Store reports in the caller's transaction; those that changed anything. `keys` are the devices', for whoever watches."""
    if not reports:
        return []
    counts: dict[int, list[int]] = {}
    stored = []
    for report, verdict in zip(reports, store().write(reports), strict=True):
        mine = counts.setdefault(report.device_id, [0] * 6)
        mine[RECEIVED] += 1
        if isinstance(verdict, Invalid):
            mine[REJECTED] += 1
        elif verdict is Written.STORED:
            mine[STORED] += 1
            stored.append(report)
        else:
            mine[DUPLICATE] += 1
    latest.merge(stored)
    ledger.append(counts)
    transaction.on_commit(lambda: _committed(stored, keys, counts))
    return stored


def _committed(stored: Sequence[Report], keys: Mapping[int, str], counts: Mapping[int, Sequence[int]]) -> None:
    for counter, column in zip(metrics.UPLINK_COUNTERS, zip(*counts.values(), strict=True), strict=True):
        if count := sum(column):
            counter.labels(SOURCE).inc(count)
    publisher().readings((report.device_id, keys.get(report.device_id, ""), report.at, report.values) for report in stored)
