"""Which rules concern a device, sorted by what touches them. Devices with the same rules share one plan."""

from collections.abc import Iterable, Sequence

from .compiled import Compiled
from .facts import WindowKey

MOST_REMEMBERED = 10_000  # combinations of properties in one report


class Plan:
    def __init__(self, rules: Sequence[Compiled]) -> None:
        self.rules = {rule.id: rule for rule in rules}
        self.by_trigger: dict[str, tuple[Compiled, ...]] = {}
        for kind in {rule.trigger.kind for rule in rules}:
            self.by_trigger[kind] = tuple(rule for rule in rules if rule.trigger.kind == kind)
        self._by_property: dict[str, list[Compiled]] = {}
        self.any_reading = any(rule.needs.any_reading for rule in rules)
        self._always = [rule for rule in self.of("readings") if rule.needs.any_reading]
        for rule in self.of("readings"):
            if not rule.needs.any_reading:
                for name in rule.needs.properties:
                    self._by_property.setdefault(name, []).append(rule)
        self._touched: dict[tuple[str, ...], tuple[Compiled, ...]] = {}
        self.window_keys = frozenset(key for rule in rules for key in rule.windows)
        self.windows = _by_name(key for rule in rules for key in rule.needs.windows)
        self.counting = tuple(rule for rule in self.of("readings") if rule.counters)
        self.names = frozenset(name for rule in rules for name in rule.needs.properties)
        self.attributes = frozenset(name for rule in rules for name in rule.needs.attributes)
        self.others = frozenset(pair for rule in rules for pair in rule.needs.others)
        self.lua = any(rule.needs.lua for rule in rules)
        self.all_attributes = any("attributes" in script.source for rule in rules for script in rule.needs.lua)
        self.presence = any(rule.needs.presence for rule in rules)
        self.previous = any(rule.needs.previous for rule in rules)
        self.reach = max((rule.reach for rule in rules), default=0)
        self.lateness = max((rule.lateness for rule in rules), default=0)

    def of(self, kind: str) -> tuple[Compiled, ...]:
        """Rules with this trigger."""
        return self.by_trigger.get(kind, ())

    def touched(self, names: tuple[str, ...]) -> tuple[Compiled, ...]:
        """Rules that a report with these properties concerns."""
        found = self._touched.get(names)
        if found is None:
            if len(self._touched) >= MOST_REMEMBERED:
                self._touched.clear()
            rules = {rule.id: rule for name in names for rule in self._by_property.get(name, ())}
            found = self._touched[names] = (*rules.values(), *self._always)
        return found


def _by_name(keys: Iterable[WindowKey]) -> dict[str, tuple[WindowKey, ...]]:
    found: dict[str, dict[WindowKey, None]] = {}
    for key in keys:
        found.setdefault(key.property, {})[key] = None
    return {name: tuple(some) for name, some in found.items()}
