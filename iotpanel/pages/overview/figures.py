"""The numbers of the overview: the ledger, the dead letters, the rate."""

from datetime import timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Count

from iotpanel.tenants.models import Tenant
from telemetry import ledger
from telemetry.ledger import Counts
from telemetry.models import DeadLetterRecord

from .window import Window


class Ledger(NamedTuple):
    """Where every report went, and what is missing: 0 where the sum is balanced."""

    counts: Counts
    missing: int

    @property
    def stored_share(self) -> float:
        """Percent, for the bar."""
        return round(100 * self.counts.stored / self.counts.received, 1) if self.counts.received else 0

    @property
    def letters_share(self) -> float:
        """Percent; at least a visible sliver where there are any."""
        share = 100 * self.counts.dead_lettered / self.counts.received if self.counts.received else 0
        return round(max(share, 0.6), 1) if self.counts.dead_lettered else 0

    @property
    def letters_at(self) -> float:
        return round(100 - self.letters_share, 1)


def books(tenant: Tenant, window: Window) -> Ledger:
    """The tenant's counts in the window (whole hours)."""
    if not tenant.devices.exists():
        return Ledger(Counts(), 0)
    counts = ledger.total(tenant, since=window.since, until=window.until)
    accounted = counts.stored + counts.duplicate + counts.rejected + counts.dead_lettered
    return Ledger(counts, counts.received - accounted)


class Letters(NamedTuple):
    """Open dead letters of the window: how many, and how many for the commonest reason."""

    total: int
    most: int


def letters(tenant: Tenant, window: Window) -> Letters:
    """The tenant's open dead letters that came in the window."""
    rows = DeadLetterRecord.objects.for_tenant(tenant).open().filter(received_at__gte=window.since)
    counts = [count for _reason, count in rows.order_by().values_list("reason").annotate(Count("pk"))]
    return Letters(sum(counts), max(counts, default=0))


class Rate(NamedTuple):
    """Reports stored per second: now, and `[ms, rate]` over the window."""

    now: float
    points: list[tuple[int, float]]
    step: int


def rate(tenant: Tenant, window: Window) -> Rate:
    """The newest full minute, and the window's course without the step that is still running."""
    points = ledger.stored_per_second(tenant, since=window.since, until=window.until, step=window.step)[:-1]
    minutes = ledger.stored_per_second(
        tenant, since=window.until.replace(second=0, microsecond=0) - timedelta(minutes=2), until=window.until
    )
    return Rate(minutes[-2][1] if len(minutes) > 1 else 0.0, points, window.step)


def database_bytes() -> int:
    """What the platform's database takes on disk."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])
