"""Which rollup answers which part of a question: pure arithmetic on half-open ranges of µs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .levels import COARSEST_FIRST, HOUR, Level, ceil, floor

Range = tuple[int, int]


class Horizon(NamedTuple):
    """How far rollups can be trusted for one property of one device.

    They end at `rolled_up_to`; a level begins at `begins[level]`, where older ones were dropped; `dirty` are the
    starts of hours that have changed since.
    """

    rolled_up_to: int
    begins: Mapping[str, int]
    dirty: Sequence[int]


class Part(NamedTuple):
    """Ranges to be read from one level, or from raw readings where it is None."""

    level: Level | None
    ranges: list[Range]


def plan(edges: Sequence[int], horizon: Horizon) -> list[Part]:
    """Split [edges[0], edges[-1]) among the levels, each taking what it holds whole and in full.

    A level fits only where no edge cuts one of its buckets; what it can't take falls to the finer one, in the end
    to the raw readings.
    """
    remaining, parts = [(edges[0], edges[-1])], []
    for level in COARSEST_FIRST:
        if any(edge % level.width for edge in edges[1:-1]):
            continue
        taken, remaining = _share(remaining, level, horizon)
        if taken:
            parts.append(Part(level, taken))
    if remaining:
        parts.append(Part(None, remaining))
    return parts


def _share(ranges: Iterable[Range], level: Level, horizon: Horizon) -> tuple[list[Range], list[Range]]:
    """What a level takes of the ranges, and what it leaves."""
    width = level.width
    begin, end = ceil(horizon.begins.get(level.name, 0), width), floor(horizon.rolled_up_to, width)
    stale = sorted({floor(hour, max(width, HOUR)) for hour in horizon.dirty})
    holes = [(start, start + max(width, HOUR)) for start in stale]
    taken: list[Range] = []
    left: list[Range] = []
    for low, high in ranges:
        inner = max(ceil(low, width), begin), min(floor(high, width), end)
        if inner[0] >= inner[1]:
            left.append((low, high))
            continue
        clean, cut = _without(inner, holes)
        taken += clean
        left += _present([(low, inner[0]), *cut, (inner[1], high)])
    return taken, left


def _without(whole: Range, holes: Iterable[Range]) -> tuple[list[Range], list[Range]]:
    """A range without some holes, which are sorted and apart; and the holes' parts in it."""
    kept, cut, position = [], [], whole[0]
    for low, high in holes:
        low, high = max(low, position), min(high, whole[1])
        if low < high:
            kept.append((position, low))
            cut.append((low, high))
            position = high
    return _present([*kept, (position, whole[1])]), cut


def _present(ranges: Iterable[Range]) -> list[Range]:
    return [(low, high) for low, high in ranges if low < high]
