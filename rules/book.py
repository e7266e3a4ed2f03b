"""All rules that run, compiled, by what they concern. Read anew when something changed; only what changed is compiled anew."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import structlog
from django.utils import timezone

from devices.membership_history import Tree
from devices.models import Group

from .compiled import Compiled, Scope, compile_rule
from .models import Maintenance, Rule
from .plan import Plan
from .problems import BadRule

log = structlog.get_logger(__name__)


class About(NamedTuple):
    """What decides which rules concern a device; `groups` with all that stand above them, by key."""

    tenant_id: int
    key: str
    product: str
    groups: frozenset[str]
    labels: dict[str, str]


def fits(scope: Scope, about: About) -> bool:
    """Whether a device is in a scope."""
    return (
        (scope.product is None or scope.product == about.product)
        and (scope.group is None or scope.group in about.groups)
        and (scope.devices is None or about.key in scope.devices)
        and all(about.labels.get(name) == value for name, value in scope.labels)
    )


def above(tree: Tree, group_ids: Iterable[int]) -> frozenset[str]:
    """The keys of groups and of all that stand above them."""
    found: set[str] = set()
    for group_id in group_ids:
        step: int | None = group_id
        while step is not None and step in tree and tree[step][0] not in found:
            key, step = tree[step]
            found.add(key)
    return frozenset(found)


class Book:
    """Rules by tenant, and under the narrowest thing that their scope names."""

    def __init__(self) -> None:
        self.rules: dict[int, Compiled] = {}
        self.groups: Tree = {}
        self._shelves: dict[tuple[int, str, str], list[Compiled]] = {}
        self._plans: dict[tuple[int, ...], Plan] = {}
        self.maintenances: list[Maintenance] = []
        self.comparing: list[Compiled] = []  # with other devices' readings

    def read(self) -> None:
        """Read what runs now; compile what is new."""
        versions = dict(Rule.objects.running().values_list("pk", "version"))
        wanted = [pk for pk, version in versions.items() if pk not in self.rules or self.rules[pk].version != version]
        kept = {pk: rule for pk, rule in self.rules.items() if versions.get(pk) == rule.version}
        for row in Rule.objects.filter(pk__in=wanted) if wanted else ():
            try:
                kept[row.pk] = compile_row(row)
            except BadRule as error:  # it was accepted by another version of ours
                log.error("rule_not_understood", rule=row.pk, error=str(error))
        if kept.keys() != self.rules.keys() or wanted:
            self._plans.clear()
            self.comparing = [rule for rule in kept.values() if rule.trigger.kind == "readings" and rule.needs.others]
        self.rules = kept
        self._shelve()
        self.groups = {pk: (key, parent) for pk, key, parent in Group.objects.values_list("pk", "key", "parent_id")} if kept else {}
        self.maintenances = list(Maintenance.objects.filter(ends_at__gt=timezone.now()).select_related("tenant")) if kept else []

    def __bool__(self) -> bool:
        return bool(self.rules)

    def plan(self, about: About) -> Plan | None:
        """The plan of a device; None where no rule concerns it."""
        found = sorted({rule.id: rule for rule in self._candidates(about) if fits(rule.scope, about)}.items())
        if not found:
            return None
        ids = tuple(pk for pk, _ in found)
        if ids not in self._plans:
            self._plans[ids] = Plan([rule for _, rule in found])
        return self._plans[ids]

    def above(self, group_ids: Iterable[int]) -> frozenset[str]:
        """The keys of groups and of all that stand above them."""
        return above(self.groups, group_ids)

    def _shelve(self) -> None:
        self._shelves.clear()
        for rule in self.rules.values():
            for place in _places(rule.scope):
                self._shelves.setdefault((rule.tenant_id, *place), []).append(rule)

    def _candidates(self, about: About) -> Iterable[Compiled]:
        places: list[tuple[str, str]] = [("device", about.key), ("product", about.product), ("labels", "")]
        places += [("group", key) for key in about.groups]
        for place in places:
            yield from self._shelves.get((about.tenant_id, *place), ())


def _places(scope: Scope) -> list[tuple[str, str]]:
    if scope.devices is not None:
        return [("device", key) for key in scope.devices]
    if scope.group is not None:
        return [("group", scope.group)]
    return [("product", scope.product)] if scope.product is not None else [("labels", "")]


def compile_row(rule: Rule) -> Compiled:
    """Raises BadRule."""
    body: dict[str, Any] = rule.body
    return compile_rule(body, id=rule.pk, tenant_id=rule.tenant_id, name=rule.name, version=rule.version)
