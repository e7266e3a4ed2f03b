"""How much of their limits a tenant and a device use, as far as the books tell."""

from datetime import datetime, timedelta
from typing import NamedTuple

from devices.limits import device_limit
from devices.models import Device
from iotpanel.tenants.limits import Limit, tenant_limit
from iotpanel.tenants.models import Tenant

from . import ledger
from .models import ReportRow

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Usage(NamedTuple):
    """`used` in reports per second over a minute; `rejected` in this hour and the one before."""

    rate: float | None
    burst: float | None
    set_by: str | None
    used: float
    rejected: int


def of_tenant(tenant: Tenant, now: datetime) -> Usage:
    """Of all its devices together; `used` counts what was stored."""
    minute = now.replace(second=0, microsecond=0)
    stored = ledger.stored_per_second(tenant, since=minute - 2 * MINUTE, until=now)
    used = stored[-2][1] if len(stored) > 1 else 0.0
    return _usage(tenant_limit(tenant), used, ledger.total(tenant, since=now - HOUR, until=now))


def of_device(device: Device, now: datetime) -> Usage:
    """`used` counts the reports that the store has of the last minute."""
    used = ReportRow.objects.filter(device_id=device.pk, at__gt=now - MINUTE, at__lte=now).count() / MINUTE.total_seconds()
    counts = ledger.by_device([device.pk], since=now - HOUR, until=now).get(device.pk, ledger.Counts())
    return _usage(device_limit(device, device.product), used, counts)


def _usage(limit: Limit | None, used: float, counts: ledger.Counts) -> Usage:
    rate, burst, source = limit if limit is not None else (None, None, None)
    return Usage(rate, burst, source, round(used, 3), counts.rejected)
