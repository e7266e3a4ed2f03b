"""The main navigation: only what exists is in it."""

from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from iotpanel.tenants.models import Tenant

from . import counts


class Entry(NamedTuple):
    """One entry; `go` is the key after `g` that opens it, `short` whether it stands in a phone's bar, `number_of` names its count."""

    url: str
    icon: str
    label: str
    go: str
    short: bool = False
    number_of: str = ""


class Section(NamedTuple):
    label: str
    entries: list[Entry]


SECTIONS = [
    Section(
        "",
        [
            Entry("/", "overview", gettext_noop("Overview"), "o", True),
            Entry("/alarms/", "alarm", gettext_noop("Alarms"), "a", True, "alarms"),
        ],
    ),
    Section(
        gettext_noop("Fleet"),
        [
            Entry("/devices/", "device", gettext_noop("Devices"), "d", True, "devices"),
            Entry("/products/", "product", gettext_noop("Products"), "p", False, "products"),
            Entry("/jobs/", "job", gettext_noop("Jobs"), "j"),
        ],
    ),
    Section(
        gettext_noop("Logic"),
        [
            Entry("/rules/", "rule", gettext_noop("Rules"), "r", False, "rules"),
            Entry("/forwarders/", "forward", gettext_noop("Forwarders"), "f"),
            Entry("/channels/", "send", gettext_noop("Notifications"), "n"),
            Entry("/maintenance/", "clock", gettext_noop("Maintenance"), "m"),
            Entry("/rotations/", "user", gettext_noop("On call"), "c"),
        ],
    ),
    Section(
        gettext_noop("Data"),
        [
            Entry("/dead-letters/", "dead", gettext_noop("Dead letters"), "l", True, "dead_letters"),
            Entry("/ledger/", "quality", gettext_noop("Ledger"), "b"),
        ],
    ),
]


class Shown(NamedTuple):
    """An entry as it is drawn; `urgency` is the severity that its number is coloured with: alarms alone have one."""

    url: str
    icon: str
    label: str
    go: str
    short: bool
    number: int | None
    current: bool
    urgency: str = ""


def _shown(entry: Entry, path: str, found: counts.Counts | None) -> Shown:
    current = path == entry.url if entry.url == "/" else path.startswith(entry.url)
    number = getattr(found, entry.number_of) if entry.number_of and found else None
    urgency = found.urgency if entry.number_of == "alarms" and found else ""
    return Shown(entry.url, entry.icon, _(entry.label), entry.go, entry.short, number, current, urgency)


def sections(path: str, tenant: Tenant | None) -> list[tuple[str, list[Shown]]]:
    """The sections with their entries, counted in `tenant`, the one that holds `path` marked."""
    found = counts.of_tenant(tenant) if tenant else None
    return [(_(s.label) if s.label else "", [_shown(entry, path, found) for entry in s.entries]) for s in SECTIONS]
