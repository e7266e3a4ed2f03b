"""What needs somebody, most urgent first; computed from what the platform knows, never typed in by anyone."""

import shutil
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Count, Max, Min, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from devices.models import Device, DeviceCertificate
from iotpanel.health import OK, readiness
from iotpanel.pages import wording
from iotpanel.pages.reasons import reason_words
from iotpanel.tenants.models import Tenant
from rules.models import Alarm
from telemetry.models import DeadLetterRecord

from .window import Window

ORDER = ("critical", "major", "minor", "warning", "info")
SHOWN = 7
MOST_ALARMS = 200
SINGLE = 3  # so many devices of a product are named; more become one line
DISK_LOW, DISK_FULL = 0.10, 0.03


class Item(NamedTuple):
    """One line: how bad, what, since when, where to go, and what else is known."""

    severity: str
    title: str
    url: str
    since: datetime | None
    notes: list[str]
    code: str = ""


def disk() -> list[Item]:
    """The platform's disk, when little of it is left."""
    usage = shutil.disk_usage(settings.IOTPANEL_HOME if settings.IOTPANEL_HOME.exists() else "/")
    free = usage.free / usage.total
    if free >= DISK_LOW:
        return []
    severity = "critical" if free < DISK_FULL else "major"
    title = _("The disk is nearly full: %(free)s left") % {"free": wording.size(usage.free)}
    return [Item(severity, title, "/", None, [_("when it is full, nothing more is stored")])]


def parts() -> list[Item]:
    """Parts of the platform that do not serve: what devices say waits in the broker meanwhile."""
    words = {
        "uplink": _("The uplink worker does not run"),
        "broker": _("The uplink worker has no connection to the broker"),
        "cache": _("The cache does not answer"),
        "migrations": _("The database waits for its migrations"),
    }
    down = [name for name, state in readiness().items() if state not in (OK, "unknown")]
    return [Item("critical", words[name], "/", None, [_("messages wait in the broker")]) for name in words if name in down]


def offline(tenant: Tenant) -> list[Item]:
    """Devices that talked and went silent: named where they are few, else counted by product."""
    gone = Device.objects.for_tenant(tenant).offline().filter(Q(parent=None) | Q(parent__presence__online=False))
    rows = gone.values("product__key", "product__name").annotate(count=Count("pk"), since=Min("presence__changed_at"))
    found: list[Item] = []
    for row in rows.order_by("-count"):
        if row["count"] > SINGLE:
            found.append(_many_offline(row["product__key"], row["product__name"], row["count"], row["since"]))
        else:
            few = gone.filter(product__key=row["product__key"]).select_related("presence", "product")
            found += [_one_offline(device) for device in few]
    return found


def _many_offline(key: str, name: str, count: int, since: datetime | None) -> Item:
    title = ngettext("%(count)s device of “%(product)s” is offline", "%(count)s devices of “%(product)s” are offline", count)
    address = "/devices/?" + urlencode({"view": "offline", "product": key})
    words = title % {"count": wording.number(count), "product": name}
    return Item("warning", words, address, since, [_("the first of them since then")])


def _one_offline(device: Device) -> Item:
    words = {
        "silence": _("silent for longer than its product allows"),
        "will": _("its connection broke"),
        "broker": _("it disconnected"),
        "status": _("it said so itself"),
    }
    why = words.get(device.presence.cause)
    title = _("%(device)s is offline") % {"device": device.name}
    since = device.presence.changed_at or device.presence.last_seen
    return Item("warning", title, device.get_absolute_url(), since, [device.product.name, why] if why else [device.product.name])


def silent_children(tenant: Tenant) -> list[Item]:
    """Gateways that are online while children behind them are not heard any more."""
    children = Device.objects.for_tenant(tenant).offline().filter(parent__presence__online=True)
    rows = children.values("parent__key", "parent__name").annotate(count=Count("pk"), since=Max("presence__last_seen"))
    found = []
    for row in rows.order_by("-count"):
        title = ngettext("%(gateway)s: %(count)s child is silent", "%(gateway)s: %(count)s children are silent", row["count"])
        words = title % {"gateway": row["parent__name"], "count": row["count"]}
        found.append(Item("info", words, f"/devices/{row['parent__key']}/", row["since"], [_("the gateway itself is online")]))
    return found


def alarms(tenant: Tenant) -> list[Item]:
    """Active alarms, those that nobody looks after before the others of their severity."""
    found = Alarm.objects.for_tenant(tenant).open().select_related("device").order_by("-raised_at")[:MOST_ALARMS]
    return [_alarm(alarm) for alarm in found]


def _alarm(alarm: Alarm) -> Item:
    state = _("acknowledged") if alarm.acknowledged else _("not acknowledged")
    return Item(str(alarm.severity), str(alarm), alarm.get_absolute_url(), alarm.raised_at, [alarm.device.name, state])


def letters(tenant: Tenant, window: Window) -> list[Item]:
    """Open dead letters by reason and product."""
    rows = DeadLetterRecord.objects.for_tenant(tenant).open().filter(received_at__gte=window.since).order_by()
    grouped = rows.values("reason", "product__key", "product__name").annotate(
        count=Count("pk"), devices=Count("device", distinct=True), since=Min("received_at")
    )
    found = []
    for row in grouped.order_by("-count")[:SHOWN]:
        asked = {"reason": row["reason"]} | ({"product": row["product__key"]} if row["product__key"] else {})
        title = _letters_title(row["count"], row["product__name"], row["reason"])
        devices = ngettext("%(count)s device", "%(count)s devices", row["devices"]) % {"count": row["devices"]}
        notes = [devices] * bool(row["devices"]) + [_("kept, ready to replay")]
        found.append(Item("info", title, "/dead-letters/?" + urlencode(asked), row["since"], notes, row["reason"]))
    return found


def _letters_title(count: int, product: str | None, reason: str) -> str:
    numbers = {"count": wording.number(count), "product": product, "reason": reason_words(reason)}
    if product is None:
        return ngettext("%(count)s message: %(reason)s", "%(count)s messages: %(reason)s", count) % numbers
    return ngettext("%(count)s message of “%(product)s”: %(reason)s", "%(count)s messages of “%(product)s”: %(reason)s", count) % numbers


def certificates(tenant: Tenant) -> list[Item]:
    """Devices whose certificate ends soon while no later one is there: then they cannot sign in any more."""
    ending = DeviceCertificate.objects.for_tenant(tenant).ending().select_related("device").order_by("not_after")
    found = []
    for each in ending[:SHOWN]:
        title = _("The certificate of %(device)s ends on %(day)s") % {"device": each.device.name, "day": f"{each.not_after:%Y-%m-%d}"}
        address = f"/devices/{each.device.key}/connect/"
        found.append(Item("minor", title, address, None, [_("issue a new one, and the device changes over without a gap")]))
    return found


def items(tenant: Tenant, window: Window, platform: bool) -> list[Item]:
    """All of it, the most urgent first, then the newest; `platform` adds what only its administrators can mend."""
    found = parts() + (disk() if platform else []) + alarms(tenant) + offline(tenant) + silent_children(tenant) + certificates(tenant)
    found += letters(tenant, window)
    found.sort(key=lambda item: -item.since.timestamp() if item.since else 0.0)
    return sorted(found, key=lambda item: ORDER.index(item.severity))
