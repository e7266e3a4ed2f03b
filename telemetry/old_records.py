"""Drops records about data that are too old: dead letters and the ledger."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from .pruning import Deadline, until_none

ROWS_AT_ONCE = 5000
MINUTES_DAYS = 8  # the throughput by minute, for the last week's picture

DEAD_LETTERS = """
    DELETE FROM telemetry_dead_letter WHERE id IN (SELECT id FROM telemetry_dead_letter WHERE received_at < %s LIMIT %s)
"""
HOURS = """
    DELETE FROM telemetry_ledgerhour WHERE (device_id, hour) IN (SELECT device_id, hour FROM telemetry_ledgerhour WHERE hour < %s LIMIT %s)
"""
MINUTES = """
    DELETE FROM telemetry_ledgerminute
    WHERE (tenant_id, minute) IN (SELECT tenant_id, minute FROM telemetry_ledgerminute WHERE minute < %s LIMIT %s)
"""
KEPT: list[tuple[str, Callable[[], int]]] = [
    (DEAD_LETTERS, lambda: settings.DEAD_LETTER_DAYS),
    (HOURS, lambda: settings.LEDGER_DAYS),
    (MINUTES, lambda: MINUTES_DAYS),
]


def drop(*, now: datetime | None = None, seconds: float = 60) -> int:
    """Drop what is too old, at most for about so many seconds; how many rows went."""
    deadline, moment, dropped = Deadline(seconds), now or timezone.now(), 0
    for query, days in KEPT:
        if days():
            dropped += until_none(query, [moment - timedelta(days=days()), ROWS_AT_ONCE], deadline)
    return dropped
