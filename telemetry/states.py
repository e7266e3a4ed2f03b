"""What has no numbers, over time: from when to when each state held, and where nothing was heard."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from telemetry.stores import store
from telemetry.stores.base import Summary
from telemetry.stores.instants import same

SECOND = 1_000_000
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000)
MOST = 2_000  # segments; more could not be told apart


class Segment(NamedTuple):
    """A state held from `start` to `end` (µs since 1970), as far as readings say."""

    start: int
    end: int
    value: Any


class States(NamedTuple):
    """`bucket` is in seconds: changes inside one are seen as one. `readings` is what they were read from."""

    segments: list[Segment]
    bucket: int
    source: str
    readings: int


def states(device_id: int, property: str, start: int, end: int, *, points: int, period: float | None) -> States:
    """The states in [start, end) (µs), in about `points` steps; `period` (seconds) tells a silence from a steady state."""
    step = step_for(end - start, points)
    width = step * SECOND
    edges = list(range(start // width * width, end + width, width))  # the end is now at the latest
    found = store().summaries(device_id, property, edges)
    before = store().neighbour(device_id, property, edges[0], before=True)
    buckets = [found.by_bucket[index] for index in sorted(found.by_bucket)]
    reach = None if period is None else int(2 * period * SECOND) + width
    lead = [] if before is None else [_single(before.value, before.at)]
    segments = [piece for piece in _segments([*lead, *buckets], reach, end) if piece.end > start]
    return States(segments[-MOST:], step, found.source, sum(bucket.count for bucket in buckets))


def step_for(span: int, points: int) -> int:
    """The seconds of a bucket: the smallest round one that cuts `span` (µs) into at most `points`."""
    return next((step for step in STEPS if span <= step * SECOND * points), STEPS[-1])


def _single(value: Any, at: int) -> Summary:
    return Summary(1, 0, None, None, None, value, at, value, at)


def _segments(buckets: Iterable[Summary], reach: int | None, end: int) -> list[Segment]:
    """A state holds until another comes, or as far as `reach` where something was expected and did not come."""
    segments: list[Segment] = []
    for bucket in buckets:
        for value, at in ((bucket.first, bucket.first_at), (bucket.last, bucket.last_at)):
            _add(segments, value, at, reach)
    if segments:
        last = segments[-1]
        segments[-1] = last._replace(end=end if reach is None else min(end, last.end + reach))
    return segments


def _add(segments: list[Segment], value: Any, at: int, reach: int | None) -> None:
    last = segments[-1] if segments else None
    if last is None or (reach is not None and at - last.end > reach):
        segments.append(Segment(at, at, value))
    elif same(value, last.value):
        segments[-1] = last._replace(end=at)
    else:
        segments[-1] = last._replace(end=at)
        segments.append(Segment(at, at, value))
