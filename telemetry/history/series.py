"""The buckets of one property in one window, aggregated and filled."""

from typing import Any, NamedTuple

from telemetry.stores.base import Summary

from .aggregates import aggregate, change
from .fill import filled_up
from .page import Bucket
from .question import Question
from .windows import Window


class Series(NamedTuple):
    buckets: list[Bucket]
    source: str


def series(question: Question, property: str, window: Window) -> Series:
    """The buckets of a window, oldest first; empty ones only where they are to be filled."""
    found = question.store.summaries(question.device_id, property, window.edges)
    filled = [
        Bucket(property, window.starts[index], value, summary.count)
        for index, (summary, value) in _valued(question, property, window, found.by_bucket).items()
    ]
    if question.fill is not None:
        filled = filled_up(question, property, window, filled)
    return Series(filled, found.source)


def _valued(question: Question, property: str, window: Window, found: dict[int, Summary]) -> dict[int, tuple[Summary, Any]]:
    value_of = aggregate(question.aggregate)
    ordered = dict(sorted(found.items()))
    if question.aggregate != "delta" or not ordered:
        return {index: (summary, value_of(summary)) for index, summary in ordered.items()}
    before = question.store.neighbour(question.device_id, property, window.edges[0], before=True)
    last = before.value if before else next(iter(ordered.values())).first
    valued = {}
    for index, summary in ordered.items():
        valued[index] = (summary, change(last, summary.last))
        last = summary.last
    return valued
