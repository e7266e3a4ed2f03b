"""Readings in buckets, page by page: stretches without readings are jumped over, not walked through."""

import time
from collections.abc import Iterator, Sequence

from telemetry.stores import store
from telemetry.stores.base import Store

from .errors import HistoryError
from .page import Bucket, Page, read_cursor, write_cursor
from .question import Extent, Question, check
from .rulers import ruler
from .series import series
from .windows import Window, backward, forward

EARLIEST, LATEST = -54_000_000_000_000_000, 246_000_000_000_000_000  # years 258 to 9765
COARSE = ("raw", "minute", "hour", "day")


def buckets(
    device_id: int,
    *,
    properties: Sequence[str],
    bucket: str,
    start: int | None = None,
    end: int | None = None,
    aggregate: str | None = None,
    tz: str = "UTC",
    fill: str | None = None,
    newest_first: bool = True,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[Bucket]:
    """The buckets of [start, end) (µs since 1970) by time and then property; those without readings only by `fill`.

    `aggregate` is avg, min, max, sum, count, first, last or delta; without one the average of numbers and the last of
    everything else. `fill` is null, previous or linear. The first and the last bucket hold only what lies in
    [start, end). The caller has checked that the device may be seen. Raises HistoryError.
    """
    measure = ruler(bucket, tz)
    check(aggregate, fill)
    if not properties:
        raise HistoryError("property", "Name at least one.")
    after = read_cursor(cursor)
    names = sorted(set(properties), key=str.encode)
    extent = _extent(store(), device_id, names, start, end, fill is not None)
    question = Question(store(), device_id, measure, aggregate, fill, extent)
    rows: list[Bucket] = []
    source = "raw"
    for window in _windows(question, names, newest_first, limit, after):
        found = [series(question, name, window) for name in names]
        source = max([source, *(one.source for one in found)], key=COARSE.index)
        rows += _ordered((row for one in found for row in one.buckets), newest_first, after)
        if len(rows) > limit:
            return Page(rows[:limit], write_cursor(rows[limit - 1].at, rows[limit - 1].property), source)
    return Page(rows, None, source)


def _extent(source: Store, device_id: int, names: Sequence[str], start: int | None, end: int | None, filled: bool) -> Extent:
    """What was asked, the open ends closed by the oldest and the newest reading; filled ones reach the present."""
    if start is None:
        oldest = [source.neighbour(device_id, name, EARLIEST, before=False) for name in names]
        start = min((reading.at for reading in oldest if reading), default=LATEST)
    if end is None:
        newest = [source.neighbour(device_id, name, LATEST, before=True) for name in names]
        end = max((reading.at + 1 for reading in newest if reading), default=EARLIEST)
        end = max(end, time.time_ns() // 1000) if filled else end
    return Extent(max(start, EARLIEST), min(end, LATEST))


def _windows(question: Question, names: Sequence[str], newest_first: bool, limit: int, after: tuple[int, str] | None) -> Iterator[Window]:
    """Windows of a page's size, each beginning where there is something to show, until the extent is covered."""
    start, end = question.extent
    if after:
        edge = question.ruler.floor(min(max(after[0], EARLIEST), LATEST))
        start, end = (start, min(end, question.ruler.next(edge))) if newest_first else (max(start, edge), end)
    while start < end:
        if question.fill is None:
            jumped = _jump(question, names, start, end, newest_first)
            if jumped is None:
                return
            start, end = jumped
        # Two more than asked: the bucket of the cursor is partly given already, and one tells whether more follows.
        window = (backward if newest_first else forward)(question.ruler, start, end, limit + 2)
        yield window
        start, end = (start, window.edges[0]) if newest_first else (window.edges[-1], end)


def _jump(question: Question, names: Sequence[str], start: int, end: int, newest_first: bool) -> tuple[int, int] | None:
    """The extent that is left without the empty stretch before the next reading; None where there is none."""
    edge = end if newest_first else start
    readings = [question.store.neighbour(question.device_id, name, edge, before=newest_first) for name in names]
    moments = [reading.at for reading in readings if reading and start <= reading.at < end]
    if not moments:
        return None
    if newest_first:
        return start, min(end, question.ruler.next(question.ruler.floor(max(moments))))
    return max(start, question.ruler.floor(min(moments))), end


def _ordered(rows: Iterator[Bucket], newest_first: bool, after: tuple[int, str] | None) -> list[Bucket]:
    ordered = sorted(rows, key=lambda row: (-row.at if newest_first else row.at, row.property.encode()))
    if after is None:
        return ordered
    return [row for row in ordered if _is_behind(row, after, newest_first)]


def _is_behind(row: Bucket, after: tuple[int, str], newest_first: bool) -> bool:
    at, name = after
    if row.at == at:
        return row.property.encode() > name.encode()
    return (row.at < at) == newest_first
