"""Deletes in bounded steps: each a transaction of its own, so that nothing waits long and a stop costs nothing."""

import time
from collections.abc import Iterator, Sequence

from .stores.backend.packed import bigints, moment
from .stores.levels import Level
from .stores.session import affected

ROWS_AT_ONCE = 5000  # of one step, for each device
DEVICES_AT_ONCE = 20

REPORTS = """
    DELETE FROM telemetry_report AS row USING (
        SELECT device_id, old.at FROM unnest(%s) AS device_id CROSS JOIN LATERAL (
            SELECT at FROM telemetry_report AS old WHERE old.device_id = device_id.device_id AND at < %s ORDER BY at LIMIT %s
        ) AS old
    ) AS gone WHERE row.device_id = gone.device_id AND row.at = gone.at AND row.at < %s
"""
EVENTS = """
    DELETE FROM telemetry_event AS row USING (
        SELECT device_id, old.at FROM unnest(%s) AS device_id CROSS JOIN LATERAL (
            SELECT DISTINCT at FROM telemetry_event AS old WHERE old.device_id = device_id.device_id AND at < %s ORDER BY at LIMIT %s
        ) AS old
    ) AS gone WHERE row.device_id = gone.device_id AND row.at = gone.at AND row.at < %s
"""
ROLLUPS = """
    DELETE FROM {table} AS row USING (
        SELECT device_id, name, old.bucket FROM unnest(%s) AS device_id
        JOIN telemetry_latest AS latest USING (device_id)
        CROSS JOIN LATERAL jsonb_object_keys(latest.values) AS name
        CROSS JOIN LATERAL (
            SELECT bucket FROM {table} AS old WHERE old.device_id = device_id.device_id AND old.property = name AND bucket < %s
            ORDER BY bucket LIMIT %s
        ) AS old
        WHERE CASE WHEN %s THEN name = ANY(%s) ELSE name <> ALL(%s) END
    ) AS gone WHERE row.device_id = gone.device_id AND row.property = gone.name AND row.bucket = gone.bucket
"""


class Deadline:
    """A moment after which no new step is begun."""

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    def is_over(self) -> bool:
        return time.monotonic() >= self.at


def _portions(devices: Sequence[int]) -> Iterator[Sequence[int]]:
    return (devices[start : start + DEVICES_AT_ONCE] for start in range(0, len(devices), DEVICES_AT_ONCE))


def old_rows(query: str, devices: Sequence[int], before: int, deadline: Deadline) -> int:
    """Delete these devices' readings (REPORTS) or events (EVENTS) before an instant in µs; how many."""
    deleted = 0
    for portion in _portions(devices):
        while not deadline.is_over():
            some = affected(query, [bigints(portion), moment(before), ROWS_AT_ONCE, moment(before)])
            deleted += some
            if not some:
                break
    return deleted


def old_rollups(level: Level, devices: Sequence[int], before: int, names: Sequence[str], among: bool, deadline: Deadline) -> int:
    """Delete these devices' buckets before an instant in µs: of the named properties (`among`), or of all others."""
    deleted, query = 0, ROLLUPS.format(table=level.table)
    for portion in _portions(devices):
        while not deadline.is_over():
            some = affected(query, [bigints(portion), moment(before), ROWS_AT_ONCE, among, list(names), list(names)])
            deleted += some
            if not some:
                break
    return deleted


def until_none(query: str, parameters: Sequence[object], deadline: Deadline) -> int:
    """Run a bounded DELETE until it finds nothing more; how many rows went."""
    deleted = 0
    while not deadline.is_over():
        some = affected(query, parameters)
        deleted += some
        if not some:
            break
    return deleted
