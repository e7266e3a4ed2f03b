"""Rules that compare with another device: when that one says something, they look at the devices that they are about.

An index from device and property to rules; which devices those are about is asked once, until rules or devices change.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from devices.messages import Report
from devices.models import Device
from iotpanel import metrics

from . import trace
from .book import Book
from .compiled import Compiled
from .derived import Happening
from .models import Rule
from .scopes import devices_of

MOST_DEVICES = 1_000  # of one rule; the others look when they say something themselves
MOST_LOOKS = 10_000  # of one batch
MANY = f"Another device's readings have it look at its first {MOST_DEVICES} devices; the others look when they say something themselves."
log = structlog.get_logger(__name__)


class Dependants:
    """One per engine."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._watched: dict[int, dict[str, list[Compiled]]] = {}
        self._devices: dict[int, list[int]] = {}

    def read(self) -> None:
        """Look up anew who is compared with."""
        self._devices.clear()
        self._watched.clear()
        wanted: dict[tuple[int, str], dict[str, list[Compiled]]] = {}
        for rule in self._book.comparing:
            for key, name in rule.needs.others:
                wanted.setdefault((rule.tenant_id, key), {}).setdefault(name, []).append(rule)
        if wanted:
            rows = Device.objects.filter(key__in={key for _, key in wanted}).values_list("pk", "tenant_id", "key")
            self._watched = {pk: wanted[tenant_id, key] for pk, tenant_id, key in rows if (tenant_id, key) in wanted}

    def looks(self, said: Sequence[Any]) -> list[Happening]:
        """What the rules have to look at because of these reports, each rule and device once."""
        if not self._watched:
            return []
        touched = self._touched(said)
        own = _own(said) if touched else {}
        found: dict[tuple[int, int], Happening] = {}
        for rule, report in touched.values():
            for device_id in self._about(rule):
                if not _looks_anyway(rule, own.get(device_id)):
                    more = {"received_at": report.received_at}
                    found[rule.id, device_id] = Happening(device_id, report.at, "other", more, rule.id)
            if len(found) > MOST_LOOKS:
                metrics.RULE_LOOKS_CUT.inc(len(found) - MOST_LOOKS)
                log.warning("rule_looks_cut", rule=rule.id, name=rule.name, looks=len(found), most=MOST_LOOKS)
                break
        return list(found.values())[:MOST_LOOKS]

    def _touched(self, said: Sequence[Any]) -> dict[int, tuple[Compiled, Report]]:
        """The rules that compare with something that was said, each with the newest of these reports."""
        touched: dict[int, tuple[Compiled, Report]] = {}
        for each in said:
            if type(each) is Report and (known := self._watched.get(each.device_id)):
                for name in known.keys() & each.values.keys():
                    for rule in known[name]:
                        if rule.id not in touched or touched[rule.id][1].at <= each.at:
                            touched[rule.id] = rule, each
        return touched

    def _about(self, rule: Compiled) -> list[int]:
        if rule.id not in self._devices:
            row = Rule.objects.select_related("tenant").filter(pk=rule.id).first()
            ids = list(devices_of(row.tenant, row.scope).values_list("pk", flat=True)[: MOST_DEVICES + 1]) if row else []
            if len(ids) > MOST_DEVICES:
                trace.keep([trace.said(rule.id, "", time.time_ns() // 1_000, MANY)])
            self._devices[rule.id] = ids[:MOST_DEVICES]
        return self._devices[rule.id]


def _own(said: Sequence[Any]) -> Mapping[int, set[str]]:
    """What devices say themselves."""
    found: dict[int, set[str]] = {}
    for each in said:
        if type(each) is Report:
            found.setdefault(each.device_id, set()).update(each.values)
    return found


def _looks_anyway(rule: Compiled, names: set[str] | None) -> bool:
    """Whether the rule looks because of what the device itself says, with the other's newest value."""
    return names is not None and (rule.needs.any_reading or not rule.needs.properties.isdisjoint(names))
