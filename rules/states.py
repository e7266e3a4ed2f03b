"""States of rules in the database. Who writes one must have seen its newest version, so that no change is lost."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from devices.timestamps import to_datetime, to_microseconds
from iotpanel.statements import execute

from .machine import State
from .models import RuleState

CHANNEL = "iotpanel_rule_states"

# Sorted, so that two batches that meet wait for each other instead of locking each other out.
WRITE = """
    INSERT INTO rules_rulestate AS row (rule_id, device_id, phase, since, off_since, fired_at, due_at, skew, version)
    SELECT rule_id, device_id, phase, since, off_since, fired_at, due_at, skew, version
    FROM unnest(%s::bigint[], %s::bigint[], %s::smallint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::bigint[],
                %s::bigint[]) AS new (rule_id, device_id, phase, since, off_since, fired_at, due_at, skew, version)
    ORDER BY rule_id, device_id
    ON CONFLICT (rule_id, device_id) DO UPDATE SET
        phase = excluded.phase, since = excluded.since, off_since = excluded.off_since, fired_at = excluded.fired_at,
        due_at = excluded.due_at, skew = excluded.skew, version = excluded.version
    WHERE row.version = excluded.version - 1
    RETURNING rule_id
"""
TELL = "SELECT pg_notify(%s, device_id::text) FROM unnest(%s::bigint[]) AS device_id"


class Stale(Exception):
    """Somebody else changed a state in the meantime: forget what was known, and look again."""


class Changed(NamedTuple):
    """A state to be written."""

    rule_id: int
    device_id: int
    state: State


def read(pairs_of: Collection[int], rule_ids: Iterable[int], *, lock: bool = False) -> dict[tuple[int, int], State]:
    """States by (device, rule); with `lock` their rows are held until the transaction ends."""
    rows = RuleState.objects.filter(device_id__in=pairs_of, rule_id__in=list(rule_ids)).order_by("rule_id", "device_id")
    return {(row.device_id, row.rule_id): state_of(row) for row in (rows.select_for_update() if lock else rows)}


def state_of(row: RuleState) -> State:
    state = State()
    state.phase, state.since, state.off_since, state.fired_at = row.phase, row.since, row.off_since, row.fired_at
    state.skew, state.version = row.skew, row.version
    state.due = to_microseconds(row.due_at) - row.skew if row.due_at else 0
    return state


def write(changed: Sequence[Changed]) -> None:
    """Write states in the caller's transaction. Raises Stale; then the caller rolls back."""
    columns: list[list[Any]] = [[] for _ in range(9)]
    for rule_id, device_id, state in changed:
        due = to_datetime(state.due + state.skew) if state.due else None
        cells = (rule_id, device_id, state.phase, state.since, state.off_since, state.fired_at, due, state.skew, state.version + 1)
        for column, cell in zip(columns, cells, strict=True):
            column.append(cell)
    if len(execute(WRITE, columns)) != len(changed):
        raise Stale
    for _, _, state in changed:
        state.version += 1
        state.dirty = False


def tell(device_ids: Iterable[int]) -> None:
    """Tell whoever remembers these devices, on commit, that something of them changed."""
    if ids := sorted(set(device_ids)):
        execute(TELL, [CHANNEL, ids])
