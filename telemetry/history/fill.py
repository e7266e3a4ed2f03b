"""Empty buckets: left empty, given the value before them, or put on the line between their neighbours.

What lies outside the window counts too, also before the start of what was asked: a setpoint that was last reported
yesterday still holds this morning. A count of nothing is 0; a delta is never invented.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from telemetry.stores.base import Reading

from .aggregates import aggregate, is_number
from .page import Bucket
from .question import Question
from .windows import Window

Point = tuple[int, Any]  # when a bucket begins, and its value


def filled_up(question: Question, property: str, window: Window, found: Sequence[Bucket]) -> list[Bucket]:
    """Every bucket of the window, oldest first."""
    by_start = {bucket.at: bucket for bucket in found}
    empty = [at for at in window.starts[:-1] if at not in by_start]
    values = dict(zip(empty, _values(question, property, window, found, empty), strict=True))
    return [by_start.get(at) or Bucket(property, at, values[at], 0) for at in window.starts[:-1]]


def _values(question: Question, property: str, window: Window, found: Sequence[Bucket], empty: Sequence[int]) -> list[Any]:
    if question.aggregate in {"count", "delta"} or question.fill == "null":
        return [0 if question.aggregate == "count" else None] * len(empty)
    known = [(bucket.at, bucket.value) for bucket in found]
    before = [point for point in [_before(question, property, window)] if point and empty]
    if question.fill == "previous":
        points = before + known
        return [_previous(points, at) for at in empty]
    after = [point for point in [_after(question, property, window)] if point and empty]
    points = before + known + after
    return [_linear(points, at) for at in empty]


def _before(question: Question, property: str, window: Window) -> Point | None:
    """The nearest bucket before the window, as far as it lies before it."""
    return _point(question, property, question.store.neighbour(question.device_id, property, window.edges[0], before=True))


def _after(question: Question, property: str, window: Window) -> Point | None:
    """The nearest bucket after the window."""
    return _point(question, property, question.store.neighbour(question.device_id, property, window.edges[-1], before=False))


def _point(question: Question, property: str, reading: Reading | None) -> Point | None:
    """The bucket of a reading, cut where the question begins and ends as its own buckets are, so that pages agree."""
    if reading is None:
        return None
    start = question.ruler.floor(reading.at)
    begin = max([start, *(edge for edge in question.extent if edge <= reading.at)])
    end = min([question.ruler.next(start), *(edge for edge in question.extent if edge > reading.at)])
    found = question.store.summaries(question.device_id, property, [begin, end]).by_bucket
    return (start, aggregate(question.aggregate)(found[0])) if found else None


def _previous(points: Sequence[Point], at: int) -> Any:
    place = bisect_left(points, at, key=lambda point: point[0])
    return points[place - 1][1] if place else None


def _linear(points: Sequence[Point], at: int) -> float | None:
    place = bisect_left(points, at, key=lambda point: point[0])
    if not 0 < place < len(points):
        return None
    (left_at, left), (right_at, right) = points[place - 1], points[place]
    if not is_number(left) or not is_number(right):
        return None
    return float(left + (right - left) * ((at - left_at) / (right_at - left_at)))
