"""How much waits for the world outside, and for how long, as `/metrics` shows it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db import connection
from prometheus_client.metrics_core import Metric

from iotpanel import metrics

from .lease import CAPPED

NAMED = ("forwarder", "channel")  # kinds whose targets are shown one by one
MOST_NAMED = 500  # of these, those that wait longest
# Of each target the first rows alone are looked at: a queue of millions must not make the page slow.
_WAITING = """
    SELECT target.kind, tenant.key, target.target, target.failures > 0,
        extract(epoch FROM clock_timestamp() - ahead.oldest)::float8, ahead.messages
    FROM rules_target target
    JOIN tenants_tenant tenant ON tenant.id = target.tenant_id
    CROSS JOIN LATERAL (
        SELECT min(created_at) AS oldest, coalesce(sum(messages), 0)::bigint AS messages FROM (
            SELECT created_at, messages FROM rules_outbox item
            WHERE item.kind = target.kind AND item.target = target.target AND item.lane = target.lane
              AND item.tenant_id = target.tenant_id AND item.state = 'waiting'
            ORDER BY id LIMIT %s
        ) AS first
    ) AS ahead
"""


class Waiting(NamedTuple):
    """What waits for one target; `lag` in seconds, of the oldest that waits."""

    kind: str
    tenant: str
    target: int
    down: bool
    lag: float
    messages: int


def waiting() -> list[Waiting]:
    """Of every target, those that wait longest first."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [CAPPED])
        rows: list[Any] = cursor.fetchall()
    found = [Waiting(kind, tenant, target, down, max(0.0, lag or 0.0), messages) for kind, tenant, target, down, lag, messages in rows]
    return sorted(found, key=lambda each: (-each.lag, -each.messages))


def families() -> Iterator[Metric]:
    """Sums by kind; and one by one the forwarders and channels for which something waits, or that are down."""
    rows = waiting()
    yield from _by_kind(rows)
    some = [row for row in rows if row.kind in NAMED and (row.messages or row.down)][:MOST_NAMED]
    messages = metrics.OUTBOX_TARGET_WAITING.family()
    lag = metrics.OUTBOX_TARGET_LAG.family()
    down = metrics.OUTBOX_TARGET_DOWN.family()
    for row in some:
        place = [row.kind, row.tenant, str(row.target)]
        messages.add_metric(place, row.messages)
        lag.add_metric(place, row.lag)
        down.add_metric(place, row.down)
    yield from (messages, lag, down)


def _by_kind(rows: list[Waiting]) -> Iterator[Metric]:
    messages = metrics.OUTBOX_WAITING.family()
    lag = metrics.OUTBOX_LAG.family()
    down = metrics.OUTBOX_DOWN.family()
    for kind in sorted({row.kind for row in rows} | set(NAMED)):
        mine = [row for row in rows if row.kind == kind]
        messages.add_metric([kind], sum(row.messages for row in mine))
        lag.add_metric([kind], max((row.lag for row in mine), default=0.0))
        down.add_metric([kind], sum(row.down for row in mine))
    yield from (messages, lag, down)
