"""The main navigation: only what exists is in it."""

from collections.abc import Callable
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from devices.models import Device, Product
from iotpanel.tenants.models import Tenant
from rules.models import Alarm, Rule, Severity
from telemetry.models import DeadLetterRecord


class Entry(NamedTuple):
    """One entry; `go` is the key after `g` that opens it, `short` whether it stands in a phone's bar.

    `urgency` is the severity that its count is coloured with: alarms alone have one.
    """

    url: str
    icon: str
    label: str
    go: str
    short: bool = False
    counts: Callable[[Tenant], int] | None = None
    urgency: Callable[[Tenant], str] | None = None


class Section(NamedTuple):
    label: str
    entries: list[Entry]


def _devices(tenant: Tenant) -> int:
    return Device.objects.for_tenant(tenant).count()


def _products(tenant: Tenant) -> int:
    return Product.objects.for_tenant(tenant).count()


def _dead_letters(tenant: Tenant) -> int:
    return DeadLetterRecord.objects.for_tenant(tenant).open().count()


def _rules(tenant: Tenant) -> int:
    return Rule.objects.for_tenant(tenant).running().count()


def _alarms(tenant: Tenant) -> int:
    return Alarm.objects.for_tenant(tenant).open().count()


def _urgency(tenant: Tenant) -> str:
    """The worst severity of what nobody has acknowledged."""
    waiting = set(Alarm.objects.for_tenant(tenant).open().filter(acknowledged_at=None).values_list("severity", flat=True).distinct())
    return next((severity.value for severity in Severity if severity.value in waiting), "")


SECTIONS = [
    Section(
        "",
        [
            Entry("/", "overview", gettext_noop("Overview"), "o", True),
            Entry("/alarms/", "alarm", gettext_noop("Alarms"), "a", True, _alarms, _urgency),
        ],
    ),
    Section(
        gettext_noop("Fleet"),
        [
            Entry("/devices/", "device", gettext_noop("Devices"), "d", True, _devices),
            Entry("/products/", "product", gettext_noop("Products"), "p", False, _products),
            Entry("/jobs/", "job", gettext_noop("Jobs"), "j"),
        ],
    ),
    Section(
        gettext_noop("Logic"),
        [
            Entry("/rules/", "rule", gettext_noop("Rules"), "r", False, _rules),
            Entry("/forwarders/", "forward", gettext_noop("Forwarders"), "f"),
            Entry("/channels/", "send", gettext_noop("Notifications"), "n"),
            Entry("/maintenance/", "clock", gettext_noop("Maintenance"), "m"),
            Entry("/rotations/", "user", gettext_noop("On call"), "c"),
        ],
    ),
    Section(
        gettext_noop("Data"),
        [
            Entry("/dead-letters/", "dead", gettext_noop("Dead letters"), "l", True, _dead_letters),
            Entry("/ledger/", "quality", gettext_noop("Ledger"), "b"),
        ],
    ),
]


class Shown(NamedTuple):
    """An entry as it is drawn."""

    url: str
    icon: str
    label: str
    go: str
    short: bool
    number: int | None
    current: bool
    urgency: str = ""


def _shown(entry: Entry, path: str, tenant: Tenant | None) -> Shown:
    current = path == entry.url if entry.url == "/" else path.startswith(entry.url)
    number = entry.counts(tenant) if entry.counts and tenant else None
    urgency = entry.urgency(tenant) if entry.urgency and tenant and number else ""
    return Shown(entry.url, entry.icon, _(entry.label), entry.go, entry.short, number, current, urgency)


def sections(path: str, tenant: Tenant | None) -> list[tuple[str, list[Shown]]]:
    """The sections with their entries, counted in `tenant`, the one that holds `path` marked."""
    return [(_(s.label) if s.label else "", [_shown(entry, path, tenant) for entry in s.entries]) for s in SECTIONS]
