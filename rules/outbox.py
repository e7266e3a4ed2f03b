"""Promises to the outside world, written in the transaction of what caused them: both are committed, or neither."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction

from iotpanel.nudges import nudge

# The target's row is made with its first promise, so that the sweep has but to look at targets.
_PROMISE = """
    WITH made AS (
        INSERT INTO rules_outbox
            (tenant_id, kind, target, lane, device_id, payload, messages, state, attempts, due_at, last_error, created_at)
        SELECT tenant_id, kind, target, lane, device_id, payload, coalesce(jsonb_array_length(nullif(payload -> 'entries', 'null')), 1),
               'waiting', 0, now() + delay * interval '1 second', '', clock_timestamp()
        FROM ROWS FROM (jsonb_to_recordset(%s::text::jsonb)
                        AS (tenant_id bigint, kind text, target bigint, lane text, device_id bigint, payload jsonb, delay float8))
             WITH ORDINALITY AS promise (tenant_id, kind, target, lane, device_id, payload, delay, n)
        ORDER BY n
        RETURNING tenant_id, kind, target, lane
    )
    INSERT INTO rules_target (tenant_id, kind, target, lane, lease, failures, delivered, dead, last_error)
    SELECT DISTINCT tenant_id, kind, target, lane, '', 0, 0, 0, '' FROM made
    ON CONFLICT DO NOTHING
"""
# Targets of addresses come and go with what rules say (delivery/old.py): one that something is promised of stays until that is
# committed. A statement of its own, so that the next one sees a target that went while this waited.
_HOLD = """
    SELECT FROM rules_target AS target
    WHERE kind = 'webhook' AND (tenant_id, target, lane) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::text[]))
    ORDER BY id FOR KEY SHARE
"""


class Promise(NamedTuple):
    """What shall be delivered: `payload` is JSON, and its shape belongs to the carrier of `kind`.

    `delay`: seconds that it waits for others to go with it. `lane`: which of the target's addresses, of which none waits for another.
    """

    tenant_id: int
    kind: str
    target: int | None
    device_id: int | None
    payload: dict[str, Any]
    delay: float = 0.0
    lane: str = ""


def promise(promises: Sequence[Promise]) -> None:
    """Write promises in the caller's transaction; they are delivered once it is committed, in this order."""
    if not promises:
        return
    rows = [each._asdict() | {"target": each.target or 0} for each in promises]
    calls = {(each.tenant_id, each.target or 0, each.lane) for each in promises if each.kind == "webhook"}
    with connection.cursor() as cursor:
        if calls:
            cursor.execute(_HOLD, [list(column) for column in zip(*calls, strict=True)])
        cursor.execute(_PROMISE, [orjson.dumps(rows).decode()])
    transaction.on_commit(_deliver_now, robust=True)


def _deliver_now() -> None:
    nudge("rules.tasks.deliver_outbox", expires=2)  # after that the sweep has run
