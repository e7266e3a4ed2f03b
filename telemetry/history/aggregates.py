"""From the summary of a bucket to the one value that was asked for: pure."""

from collections.abc import Callable
from typing import Any

from telemetry.stores.base import Summary

from .errors import HistoryError


def _usual(summary: Summary) -> Any:
    """The average of numbers, the last of everything else."""
    return _average(summary) if summary.numbers == summary.count and not isinstance(summary.last, bool) else summary.last


def _average(summary: Summary) -> float | None:
    return None if summary.total is None else summary.total / summary.numbers


AGGREGATES: dict[str, Callable[[Summary], Any]] = {
    "": _usual,
    "avg": _average,
    "min": lambda summary: summary.low,
    "max": lambda summary: summary.high,
    "sum": lambda summary: summary.total,
    "count": lambda summary: summary.count,
    "first": lambda summary: summary.first,
    "last": lambda summary: summary.last,
    "delta": lambda summary: change(summary.first, summary.last),
}


def aggregate(name: str | None) -> Callable[[Summary], Any]:
    """The function for a name, or the usual one; raises HistoryError. `delta` is only the change within; see series."""
    try:
        return AGGREGATES[name or ""]
    except KeyError:
        raise HistoryError("aggregate", f"One of {', '.join(filter(None, AGGREGATES))}.") from None


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def change(before: Any, after: Any) -> Any:
    """How far a number went; None where one of them is none."""
    return after - before if is_number(before) and is_number(after) else None
