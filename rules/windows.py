"""Readings of a while, summed up as they come. Pure Python; instants and spans are µs.

A sliding window is a queue of two stacks: each cell is merged a constant number of times and nothing is ever subtracted,
so that a sum has no memory of a huge number that has left. What comes late is put where it belongs.
"""

from bisect import insort
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Protocol

MOST_CELLS: Final = 4_096  # above that, readings of a thousandth of the window are kept as one
AGGREGATES: Final = ("avg", "min", "max", "sum", "count", "delta", "rate", "first", "last")


class Cell(NamedTuple):
    """Some readings, summed up: `at` is the first one's time, `until` the last one's."""

    at: int
    until: int
    size: int
    total: float
    low: float
    high: float
    first: float
    last: float


def cell_of(at: int, value: float) -> Cell:
    return Cell(at, at, 1, value, value, value, value, value)


def merged(one: Cell | None, other: Cell | None) -> Cell | None:
    """Both together, in whatever order they come; of two readings of one instant the later argument's is the last."""
    if one is None or other is None:
        return one or other
    first, last = (one if one.at <= other.at else other), (other if other.until >= one.until else one)
    return Cell(
        first.at, last.until, one.size + other.size, one.total + other.total,
        min(one.low, other.low), max(one.high, other.high), first.first, last.last,
    )  # fmt: skip


class Window(Protocol):
    """Readings of a while. `newest` is the latest time that it has heard of."""

    newest: int

    def add(self, at: int, value: float) -> None: ...

    def look(self, now: int) -> Cell | None:
        """What is in it now; None: nothing."""
        ...

    def ends(self, now: int) -> int:
        """When it will be empty if nothing more comes; 0: it is."""
        ...


class Sliding:
    """The readings of (now - length, now]."""

    def __init__(self, length: int, most: int = MOST_CELLS) -> None:
        self.length = length
        self.newest = 0
        self._most = most
        self._grid = 0
        self._front: list[tuple[Cell, Cell]] = []  # the oldest on top, each beside the sum from it to the bottom
        self._back: list[Cell] = []
        self._sum: Cell | None = None  # of the back

    def __len__(self) -> int:
        return len(self._front) + len(self._back)

    def add(self, at: int, value: float) -> None:
        """One reading; one that is older than the window's end changes nothing."""
        cell = cell_of(at, value)
        if at >= self.newest:
            self.newest = at
            self._append(cell)
        elif at > self.newest - self.length:
            cells = self._cells()
            insort(cells, cell, key=lambda each: each.until)
            self._fill(cells)
        if len(self) > self._most:
            self._coarsen()

    def look(self, now: int) -> Cell | None:
        """See Window.look. Time goes forward: what has left does not come back."""
        limit = now - self.length
        while self._front or self._back:
            if not self._front:
                self._turn()
            if self._front[-1][0].until > limit:
                return merged(self._front[-1][1], self._sum)
            self._front.pop()
        return None

    def ends(self, now: int) -> int:
        """See Window.ends."""
        return self.newest + self.length if self.look(now) else 0

    def _append(self, cell: Cell) -> None:
        if self._grid and self._back and self._back[-1].at // self._grid == cell.at // self._grid:
            both = merged(self._back.pop(), cell)
            assert both is not None
            self._back.append(both)
        else:
            self._back.append(cell)
        self._sum = merged(self._sum, cell)

    def _turn(self) -> None:
        """Move the back to the front, summing up from the newest to the oldest."""
        total: Cell | None = None
        for cell in reversed(self._back):
            total = merged(cell, total)
            assert total is not None
            self._front.append((cell, total))
        self._back, self._sum = [], None

    def _cells(self) -> list[Cell]:
        return [cell for cell, _ in reversed(self._front)] + self._back

    def _fill(self, cells: Iterable[Cell]) -> None:
        self._front, self._back, self._sum = [], [], None
        for cell in cells:
            self._append(cell)

    def _coarsen(self) -> None:
        self.look(self.newest)
        while len(self) > self._most:
            self._grid = max(1, self.length // 1_000, 2 * self._grid)
            self._fill(self._cells())


class Tumbling:
    """The readings since the last edge, such as midnight. `base` is the last reading before it, for a delta over the edge."""

    def __init__(self, edge: Callable[[int], tuple[int, int]]) -> None:
        self.newest = 0
        self._edge = edge  # the two edges around an instant
        self._start = self._end = 0
        self._cell: Cell | None = None
        self.base: Cell | None = None

    def add(self, at: int, value: float) -> None:
        """One reading; one of an earlier window changes nothing but, perhaps, the base."""
        cell = cell_of(at, value)
        self._move(at)
        if at < self._start:
            self.base = cell if self.base is None or at >= self.base.until else self.base
        else:
            self._cell = merged(self._cell, cell)
        self.newest = max(self.newest, at)

    def look(self, now: int) -> Cell | None:
        """See Window.look."""
        self._move(now)
        return self._cell

    def ends(self, now: int) -> int:
        """See Window.ends."""
        self._move(now)
        return self._end if self._cell else 0

    def _move(self, at: int) -> None:
        if at >= self._end:
            self.base = self._cell or self.base
            self._cell = None
            self._start, self._end = self._edge(at)


def aggregate(kind: str, cell: Cell | None, base: Cell | None, per: int) -> float | None:
    """A number out of a window; None where there is none. `per` is the span of a rate."""
    if cell is None:
        return 0 if kind in ("count", "sum") else None
    if kind == "avg":
        return cell.total / cell.size
    if kind in ("delta", "rate"):
        start = base or cell
        first, since = (start.last, start.until) if base else (cell.first, cell.at)
        change = cell.last - first
        if kind == "delta":
            return change
        return change * per / (cell.until - since) if cell.until > since else None
    return {"min": cell.low, "max": cell.high, "sum": cell.total, "count": cell.size, "first": cell.first, "last": cell.last}[kind]
