"""The alarms that messages to the outside are about, as templates and programs see them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from devices.hosts import web_address

from .models import Alarm, Severity

Pair = tuple[int, str]  # a rule's id and a device's key


def newest(tenant_id: int, about: Sequence[Mapping[str, Any]]) -> dict[Pair, Alarm]:
    """The newest alarm of each rule and device that these entries are about; one query."""
    pairs = {pair for each in about if (pair := pair_of(each)) is not None}
    if not pairs:
        return {}
    mine = Alarm.objects.filter(tenant_id=tenant_id, rule_id__in={rule for rule, _ in pairs})
    rows = mine.filter(device__key__in={device for _, device in pairs}).select_related("device", "tenant")
    found = rows.order_by("rule_id", "device_id", "-pk").distinct("rule_id", "device_id")
    return {pair: alarm for alarm in found if (pair := (alarm.rule_id or 0, alarm.device.key)) in pairs}


def pair_of(entry: Mapping[str, Any]) -> Pair | None:
    """Which rule and device an entry is about."""
    rule, device = (entry.get("rule") or {}).get("id"), entry.get("device")
    return (int(rule), str(device)) if rule and device else None


def told(alarm: Alarm) -> dict[str, Any]:
    """What a template's `alarm` holds."""
    return {
        "id": alarm.pk,
        "severity": str(alarm.severity),
        "message": alarm.message,
        "active": alarm.active,
        "acknowledged": alarm.acknowledged,
        "raised_at": alarm.raised_at.isoformat(),
        "url": web_address() + place_of(alarm.get_absolute_url(), alarm.tenant.key),
    }


def place_of(path: str, tenant: str) -> str:
    """A page's address that opens in this tenant, whichever its reader works in."""
    return f"{path}?{urlencode({'tenant': tenant})}"


def most_severe(alarms: Iterable[Alarm]) -> Severity | None:
    """None where there are none."""
    return min((Severity(each.severity) for each in alarms), key=lambda each: each.rank, default=None)
