"""A device's facts out of the store: what was known before an instant, and what its windows held then."""

from collections.abc import Iterator, Mapping
from typing import Any

from telemetry.stores import store

from .compiled import new_window
from .facts import Facts, number_of
from .plan import Plan
from .windows import Tumbling, cell_of

PAGE = 10_000
MOST_READINGS = 200_000  # of one device, for its windows


def recall(device_id: int, facts: Facts, plan: Plan, newest: Mapping[str, tuple[Any, int]], span: tuple[int, int]) -> None:
    """Fill fresh facts as they were just before `span`, the first and last instant (µs) of what is looked at now.

    `newest` is what the latest values say, which have heard of it already."""
    before, last = span
    facts.windows = {key: new_window(key) for key in plan.window_keys}
    if plan.window_keys:
        for at, values in reports(device_id, plan, before - plan.reach, before):
            feed(facts, plan, at, values)
        _bases(device_id, facts, before)
    for name in plan.names | newest.keys() if plan.lua else plan.names:
        value, at = newest.get(name, (None, 0))
        if at >= before:  # it came with what is looked at now, or later
            found = store().neighbour(device_id, name, before, True) if plan.previous or len(plan.names) > 1 else None
            value, at = (found.value, found.at) if found else (None, 0)
        if value is not None:
            facts.values[name], facts.times[name] = value, at
    facts.newest = max((at for _, at in newest.values() if not before <= at <= last), default=0)


def feed(facts: Facts, plan: Plan, at: int, values: Mapping[str, Any]) -> None:
    """Let the windows take a report."""
    facts.take(at, values)
    facts.put(plan.windows, at, values)
    for rule in plan.counting:
        for counter in rule.counters:
            if counter.test(facts):
                facts.windows[counter.window].add(at, 1.0)


def reports(device_id: int, plan: Plan, start: int, end: int, *, named: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    """The stored readings that the plan's rules look at in [start, end), by time; at most MOST_READINGS.

    `named`: of no others than they name.
    """
    after: tuple[int, str] | None = None
    moment, values, count = 0, dict[str, Any](), 0
    every = plan.any_reading and not named
    names = [] if every else sorted(plan.names)  # none: all there are
    while (names or every) and count < MOST_READINGS:
        page = store().readings(device_id, names, max(start, 0), end, False, PAGE, after)
        for name, at, value in page:
            if at != moment:
                if values:
                    yield moment, values
                moment, values = at, {}
            values[name] = value
        count += len(page)
        if len(page) < PAGE:
            break
        after = (page[-1].at, page[-1].property)
    if values:
        yield moment, values


def _bases(device_id: int, facts: Facts, before: int) -> None:
    """What a tumbling window's delta starts from, where its last reading before the edge is further back than a window."""
    for key, window in facts.windows.items():
        if isinstance(window, Tumbling) and not key.property.startswith("#"):
            cell = window.look(before)
            if window.base is None:
                start = cell.at if cell else before
                found = store().neighbour(device_id, key.property, start, True)
                number = number_of(found.value) if found else None
                if found and number is not None:
                    window.base = cell_of(found.at, number)
