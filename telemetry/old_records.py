"""Drops records that are too old: dead letters and their replays, the ledger, ended commands, changes of shadows."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from . import old_changes
from .pruning import Deadline, until_none

ROWS_AT_ONCE = 5000
MINUTES_DAYS = 8  # the throughput by minute, for the last week's picture

DEAD_LETTERS = """
    DELETE FROM telemetry_dead_letter WHERE id IN (SELECT id FROM telemetry_dead_letter WHERE received_at < %s LIMIT %s)
"""
REPLAYS = """
    DELETE FROM telemetry_replay_run WHERE id IN (SELECT id FROM telemetry_replay_run WHERE finished_at < %s LIMIT %s)
"""
HOURS = """
    DELETE FROM telemetry_ledgerhour WHERE (device_id, hour) IN (SELECT device_id, hour FROM telemetry_ledgerhour WHERE hour < %s LIMIT %s)
"""
MINUTES = """
    DELETE FROM telemetry_ledgerminute
    WHERE (tenant_id, minute) IN (SELECT tenant_id, minute FROM telemetry_ledgerminute WHERE minute < %s LIMIT %s)
"""
# Ids of commands grow with time: milliseconds since 2020, then 20 bits of a counter.
COMMANDS = """
    DELETE FROM devices_command WHERE id IN (
        SELECT id FROM devices_command
        WHERE id < ((extract(epoch FROM %s::timestamptz) * 1000)::bigint - 1577836800000) << 20 AND finished_at IS NOT NULL LIMIT %s
    )
"""
# What lies before the last whole state that is itself too old: the rest is needed to show the past from then on.
SHADOW_STEPS = """
    WITH old AS (SELECT %s::timestamptz AS at)
    DELETE FROM devices_shadowstep WHERE id IN (
        SELECT step.id FROM devices_shadowstep step, old
        WHERE step.at < old.at AND EXISTS (
            SELECT 1 FROM devices_shadowstep later
            WHERE later.device_id = step.device_id AND later.version > step.version AND later.whole IS NOT NULL AND later.at < old.at
        ) LIMIT %s
    )
"""
KEPT: list[tuple[str, Callable[[], int]]] = [
    (DEAD_LETTERS, lambda: settings.DEAD_LETTER_DAYS),
    (REPLAYS, lambda: settings.DEAD_LETTER_DAYS),
    (HOURS, lambda: settings.LEDGER_DAYS),
    (MINUTES, lambda: MINUTES_DAYS),
    (COMMANDS, lambda: settings.COMMAND_DAYS),
    (SHADOW_STEPS, lambda: settings.COMMAND_DAYS),
]


def drop(*, now: datetime | None = None, seconds: float = 60) -> int:
    """Drop what is too old, at most for about so many seconds; how many rows went."""
    deadline, moment, dropped = Deadline(seconds), now or timezone.now(), 0
    for query, days in KEPT:
        if days():
            dropped += until_none(query, [moment - timedelta(days=days()), ROWS_AT_ONCE], deadline)
    return dropped + old_changes.drop(now=moment, deadline=deadline)
