"""When devices were in a rule's scope, by their groups and labels of then: what a back-test counts them for. Instants are µs since 1970."""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone

from devices import membership_history
from devices.models import Device, DeviceSet
from devices.timestamps import to_microseconds
from iotpanel.tenants.models import Tenant

from .book import above
from .compiled import Scope
from .scopes import named

MADE = 60 * 1_000_000  # µs between a device's making and the first note of it, by two clocks
Change = tuple[int, str, Any]


class Course(NamedTuple):
    """Whether a device was in scope at the start, when that changed, and since when it is known (0: for all its life)."""

    began: bool
    changes: Sequence[tuple[int, bool]]
    since: int

    @property
    def ever(self) -> bool:
        return self.began or bool(self.changes)


ALWAYS = Course(True, (), 0)


class Memberships:
    """Of one scope in [start, end). Before anything is known, groups and labels count as they were first known."""

    def __init__(self, tenant: Tenant, scope: Scope, start: int, end: int) -> None:
        self._tenant, self._scope, self._end = tenant, scope, end
        self._labels = dict(scope.labels)
        self.asked = scope.group is not None or bool(scope.labels)
        days = settings.CHANGE_DAYS
        self._kept = to_microseconds(timezone.now() - timedelta(days=days)) if days and self.asked else 0
        self._start = max(start, self._kept)
        self._subtrees: list[tuple[int, frozenset[int]]] = []
        if scope.group is not None:
            for at, tree in membership_history.trees(tenant.pk, self._start, end):
                below = frozenset(each for each in tree if scope.group in above(tree, [each]))
                if not self._subtrees or below != self._subtrees[-1][1]:
                    self._subtrees.append((at, below))
        self._groups = frozenset[int]().union(*(below for _, below in self._subtrees))

    def devices(self) -> DeviceSet:
        """Those that may have been in scope at some time; of each its course says."""
        found = named(self._tenant, self._scope)
        if self._scope.group is not None:
            found = membership_history.were_in(found, self._groups, self._start, self._end)
        if self._labels:
            found = membership_history.had_labels(found, self._labels, self._start, self._end)
        return found

    def course(self, device: Device) -> Course:
        if not self.asked:
            return ALWAYS
        labels = list(membership_history.labels_of(device.pk))
        noted = labels[0][0] if labels else 0
        begins = max(self._start, noted)
        changes = heapq.merge(
            ((at, "tree", below) for at, below in self._subtrees),
            ((at, "labels", found) for at, found in labels),
            ((at, "group", step) for at, *step in membership_history.groups_of(device.pk, self._groups)),
            key=_at,
        )
        found = self._states(changes, begins)
        since = 0 if noted <= to_microseconds(device.created_at) + MADE else noted
        changed = [each for before, each in pairwise(found) if each[1] != before[1]]
        return Course(found[0][1], changed, max(since, self._kept))

    def _states(self, changes: Iterable[Change], begins: int) -> list[tuple[int, bool]]:
        """Whether it is in scope: at the start, and after each instant of a change."""
        below, mine, labels = frozenset[int](), set[int](), dict[str, str]()
        found: list[tuple[int, bool]] = []
        for at, some in groupby(changes, key=lambda change: max(change[0], begins)):
            if found and at >= self._end:
                break
            for _, kind, what in some:
                if kind == "tree":
                    below = what
                elif kind == "labels":
                    labels = what
                else:
                    mine = mine | {what[0]} if what[1] else mine - {what[0]}
            found.append((at, self._fits(below, mine, labels)))
        return found

    def _fits(self, below: frozenset[int], mine: set[int], labels: Mapping[str, str]) -> bool:
        return (self._scope.group is None or not below.isdisjoint(mine)) and self._labels.items() <= labels.items()


def _at(change: Change) -> int:
    return change[0]
