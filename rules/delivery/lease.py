"""One worker at a time delivers to a target: a lease on its row, taken with SKIP LOCKED, that ends by itself.

A worker that is killed leaves a lease that runs out; what it had sent and not noted is sent again (at least once).
"""

import secrets
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Sum
from django.utils import timezone

from rules.models import OutboxItem, Target

_TAKE = """
    UPDATE rules_target SET leased_until = statement_timestamp() + %s * interval '1 second', lease = %s
    WHERE id = (
        SELECT id FROM rules_target target
        WHERE (leased_until IS NULL OR leased_until < statement_timestamp())
          AND (paused_until IS NULL OR paused_until <= statement_timestamp()) AND held_at IS NULL
          AND NOT id = ANY(%s) AND EXISTS (
            SELECT FROM rules_outbox item
            WHERE item.kind = target.kind AND item.target = target.target AND item.lane = target.lane AND item.tenant_id = target.tenant_id
              AND item.state = 'waiting' AND item.due_at <= statement_timestamp()
          )
        ORDER BY last_ok_at NULLS FIRST, id LIMIT 1
        FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING id
"""
CAPPED = 10_000  # rows that a count of what waits looks at


def take(but_not: Collection[int] = ()) -> Target | None:
    """Lease a target that something is due for, the one longest not served first; None where there is none."""
    lease = secrets.token_hex(8)
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [settings.OUTBOX_LEASE, lease, list(but_not)])
        row = cursor.fetchone()
    return Target.objects.select_related("tenant").get(pk=row[0]) if row else None


def renew(target: Target) -> bool:
    """False where the lease ran out and somebody else has it by now, or a person has the target wait."""
    until = timezone.now() + timedelta(seconds=settings.OUTBOX_LEASE)
    return bool(Target.objects.filter(pk=target.pk, lease=target.lease, held_at=None).update(leased_until=until))


def release(target: Target) -> None:
    Target.objects.filter(pk=target.pk, lease=target.lease).update(leased_until=None, lease="")


def waiting(target: Target) -> dict[str, object]:
    """What waits for a target: messages (counted up to a bound of rows), and since when the oldest does."""
    rows = OutboxItem.objects.filter(kind=target.kind, target=target.target, lane=target.lane, tenant_id=target.tenant_id, state="waiting")
    ahead = rows.order_by("id").values("messages", "created_at")[:CAPPED]
    return ahead.aggregate(rows=Count("*"), messages=Sum("messages"), oldest=Min("created_at"))
