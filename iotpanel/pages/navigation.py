"""The main navigation: only what exists is in it."""

from collections.abc import Callable
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from devices.models import Device, Product
from iotpanel.tenants.models import Tenant
from telemetry.models import DeadLetterRecord


class Entry(NamedTuple):
    """One entry; `go` is the key after `g` that opens it, `short` whether it stands in a phone's bar."""

    url: str
    icon: str
    label: str
    go: str
    short: bool = False
    counts: Callable[[Tenant], int] | None = None


class Section(NamedTuple):
    label: str
    entries: list[Entry]


def _devices(tenant: Tenant) -> int:
    return Device.objects.for_tenant(tenant).count()


def _products(tenant: Tenant) -> int:
    return Product.objects.for_tenant(tenant).count()


def _dead_letters(tenant: Tenant) -> int:
    return DeadLetterRecord.objects.for_tenant(tenant).open().count()


SECTIONS = [
    Section("", [Entry("/", "overview", gettext_noop("Overview"), "o", True)]),
    Section(
        gettext_noop("Fleet"),
        [
            Entry("/devices/", "device", gettext_noop("Devices"), "d", True, _devices),
            Entry("/products/", "product", gettext_noop("Products"), "p", False, _products),
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


def _shown(entry: Entry, path: str, tenant: Tenant | None) -> Shown:
    current = path == entry.url if entry.url == "/" else path.startswith(entry.url)
    number = entry.counts(tenant) if entry.counts and tenant else None
    return Shown(entry.url, entry.icon, _(entry.label), entry.go, entry.short, number, current)


def sections(path: str, tenant: Tenant | None) -> list[tuple[str, list[Shown]]]:
    """The sections with their entries, counted in `tenant`, the one that holds `path` marked."""
    return [(_(s.label) if s.label else "", [_shown(entry, path, tenant) for entry in s.entries]) for s in SECTIONS]
