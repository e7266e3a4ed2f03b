"""Reports grouped by device and instant, and what each of them changes: the meaning of a merge, in plain Python."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from devices.messages import Report, Values

from .base import Written

Instant = tuple[int, int]  # device id, µs since 1970


class Group(NamedTuple):
    """The reports of a batch that fall on one instant of a device; `members` are their places in the batch."""

    instant: Instant
    members: list[int]


def group(reports: Sequence[Report]) -> list[Group]:
    """One group per device and instant, in the order in which they came first."""
    groups: dict[Instant, Group] = {}
    for place, report in enumerate(reports):
        instant = (report[0], report[1])
        if instant in groups:
            groups[instant].members.append(place)
        else:
            groups[instant] = Group(instant, [place])
    return list(groups.values())


def apply(existing: Values | None, chain: Iterable[Values]) -> tuple[Values, list[Written]]:
    """Merge values into what is there, one after the other: the result, and what each of them was."""
    merged = dict(existing or {})
    is_new = existing is None
    written = []
    for values in chain:
        changes = is_new or any(name not in merged or not same(merged[name], value) for name, value in values.items())
        merged.update(values)
        written.append(Written.STORED if changes else Written.DUPLICATE)
        is_new = False
    return merged, written


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: 1 is 1.0, and neither is true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) != isinstance(other, float) and isinstance(one, int | float) and isinstance(other, int | float):
        return Decimal(repr(one)) == Decimal(repr(other))  # as written, as PostgreSQL does: 4.1e16 may be no double's exact value
    return bool(one == other)
