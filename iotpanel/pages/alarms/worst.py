"""The worst open alarm of each device, for pages that show devices: a list, the fleet's cells."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Count

from iotpanel.tenants.models import Tenant
from rules.models import Alarm, Severity


class Worst(NamedTuple):
    """How bad it is, and whether somebody has acknowledged it."""

    severity: Severity
    seen: bool

    @property
    def label(self) -> str:
        return str(self.severity.label)


def worst(tenant: Tenant, devices: Iterable[int] | None = None) -> dict[int, Worst]:
    """By the device's id, of the given ones or of all; without those that have no open alarm."""
    alarms = Alarm.objects.for_tenant(tenant).open().order_by()
    if devices is not None:
        alarms = alarms.filter(device__in=list(devices))
    found: dict[int, Worst] = {}
    for device_id, severity, acknowledged_at in alarms.values_list("device_id", "severity", "acknowledged_at"):
        one = Worst(Severity(severity), acknowledged_at is not None)
        found[device_id] = min(found.get(device_id, one), one, key=_urgency)
    return found


def _urgency(one: Worst) -> tuple[int, bool]:
    return one.severity.rank, one.seen  # of two that are as bad, the one that nobody looks after


def by_severity(tenant: Tenant) -> list[tuple[Severity, int]]:
    """How many open alarms there are of each severity that occurs, the worst first."""
    counted = Alarm.objects.for_tenant(tenant).open().order_by().values_list("severity").annotate(Count("pk"))
    counts: dict[str, int] = dict(counted)
    return [(severity, counts[severity]) for severity in Severity if severity in counts]
