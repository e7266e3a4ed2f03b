"""What the device's record in the admin shows of its data; the page of the device shows it live."""

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from devices.admin import marks
from devices.admin.device import DeviceAdmin
from devices.models import Device
from devices.timestamps import to_datetime
from telemetry import latest, ledger

VALUE_LENGTH = 200
PROPERTIES_SHOWN = 100
DAY = timedelta(days=1)
Row = tuple[Any, Any]


def latest_values(device: Device) -> list[Row]:
    """Property and newest value with its age."""
    found = sorted(latest.read([device.pk]).get(device.pk, {}).items())[:PROPERTIES_SHOWN]
    units = {item["key"]: item.get("unit", "") for item in device.product.thing_model.get("properties") or []}
    return [(name, marks.with_age(_shown(value, units.get(name, "")), to_datetime(at))) for name, (value, at) in found]


def _shown(value: Any, unit: str) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{text[:VALUE_LENGTH]} {unit}".rstrip()


def counts_of_a_day(device: Device) -> list[Row]:
    """The ledger of the last day: what came, and what became of it."""
    now = timezone.now()
    counts = ledger.by_device([device.pk], since=now - DAY, until=now).get(device.pk, ledger.Counts())
    labels = (_("Received"), _("Stored"), _("Duplicate"), _("Rejected"), _("Dead-lettered"), _("Heartbeats"))
    return list(zip(labels, counts, strict=True))


DeviceAdmin.panels += [(_("Latest values"), latest_values), (_("Last 24 hours"), counts_of_a_day)]
