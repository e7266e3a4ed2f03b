"""How often each tenant's rules acted, and what was held back, by the hour: rows written with the batch that did it."""

from collections.abc import Mapping
from datetime import timedelta
from os import getpid
from threading import get_ident

from django.db.models import Sum
from django.utils import timezone

from iotpanel import metrics
from iotpanel.statements import execute
from iotpanel.tenants.models import Tenant

from .models import FiringCount

KEPT = timedelta(days=8)
FATES = ("fired", "postponed", "skipped")
SLOTS = 64  # so that those who count at the same time need not wait for each other
ADD = """
    INSERT INTO rules_firingcount AS row (tenant_id, hour, slot, fired, postponed, skipped)
    SELECT tenant_id, date_trunc('hour', now()), %s, fired, postponed, skipped
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS new (tenant_id, fired, postponed, skipped)
    ORDER BY tenant_id
    ON CONFLICT (tenant_id, hour, slot) DO UPDATE SET
        fired = row.fired + excluded.fired, postponed = row.postponed + excluded.postponed, skipped = row.skipped + excluded.skipped
    RETURNING id
"""


def add(tally: Mapping[tuple[int, str], int]) -> None:
    """Add what was counted by tenant and fate, in the caller's transaction."""
    for (_, fate), number in tally.items():
        if fate != "fired":
            metrics.RULE_HELD.labels(fate).inc(number)
    if tally:
        tenants = sorted({tenant_id for tenant_id, _ in tally})
        columns = [[tally.get((tenant_id, fate), 0) for tenant_id in tenants] for fate in FATES]
        execute(ADD, [(getpid() + get_ident()) % SLOTS, tenants, *columns])


def of_the_last_day(tenant: Tenant) -> dict[str, int]:
    """Firings of a tenant's rules within about a day: `fired`, `postponed`, `skipped`."""
    rows = FiringCount.objects.for_tenant(tenant).filter(hour__gt=timezone.now() - timedelta(days=1))
    sums = rows.aggregate(**{fate: Sum(fate) for fate in FATES})
    return {fate: sums[fate] or 0 for fate in FATES}


def drop_old() -> int:
    """Returns the rows dropped."""
    return FiringCount.objects.filter(hour__lt=timezone.now() - KEPT).delete()[0]
