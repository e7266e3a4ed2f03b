"""Stretches of buckets: as many as a page needs, from one end of the question or the other."""

from typing import NamedTuple

from .rulers import Ruler


class Window(NamedTuple):
    """Buckets from `starts[i]` to `starts[i + 1]`; what is asked of them is cut to [start, end)."""

    starts: list[int]
    start: int
    end: int

    @property
    def edges(self) -> list[int]:
        """The buckets' edges, the outer two cut to what is asked."""
        edges = [*self.starts]
        edges[0], edges[-1] = max(edges[0], self.start), min(edges[-1], self.end)
        return edges


def forward(ruler: Ruler, start: int, end: int, limit: int) -> Window:
    """At most `limit` buckets of [start, end), the oldest ones."""
    starts = [ruler.floor(start)]
    while starts[-1] < end and len(starts) <= limit:
        starts.append(ruler.next(starts[-1]))
    return Window(starts, start, end)


def backward(ruler: Ruler, start: int, end: int, limit: int) -> Window:
    """At most `limit` buckets of [start, end), the newest ones."""
    # Months, years and days that clocks change on may be shorter than usual: begin earlier and cut.
    begin = max(start, end - (limit + 2) * ruler.nominal * 13 // 12)
    starts = _all(ruler, begin, end)
    return Window(starts[-limit - 1 :], start, end)


def _all(ruler: Ruler, start: int, end: int) -> list[int]:
    starts = [ruler.floor(start)]
    while starts[-1] < end:
        starts.append(ruler.next(starts[-1]))
    return starts
