"""What a chart needs: the band between low and high with the average, from as few rows as its width can show."""

import time
from typing import Any, NamedTuple

from telemetry.stores import store
from telemetry.stores.base import Summary

from .aggregates import aggregate, is_number
from .errors import HistoryError
from .rulers import ruler
from .windows import Window, forward

# From fine to coarse: the first that needs no more points than asked is taken.
FINE = ("1s", "2s", "5s", "10s", "15s", "30s", "1m", "2m", "5m", "10m", "15m", "30m")
SIZES = (*FINE, "1h", "2h", "3h", "6h", "12h", "1d", "1w", "1mo", "3mo", "1y")

FURTHEST = 54_000_000_000_000_000  # µs, 1,700 years from 1970


class Chart(NamedTuple):
    """`points` are `[ms since 1970, average, low, high, count]`, oldest first; empty buckets are left out.

    Where every reading is shown, `bucket` is "" and `step_ms` 0. For texts, booleans and JSON the second number is the
    last value, and low and high are None. `readings` is how many the points stand for, `took_ms` what the store needed.
    """

    source: str
    bucket: str
    step_ms: int
    points: list[list[Any]]
    readings: int
    took_ms: float


def chart(device_id: int, property: str, start: int, end: int, *, max_points: int = 600, tz: str = "UTC") -> Chart:
    """The chart of [start, end), in µs since 1970. The caller has checked that the device may be seen.

    Where there are no more readings than points, every reading is shown as it is. Raises HistoryError.
    """
    began = time.perf_counter()
    size, window = _window(start, end, max_points, tz)
    found = store().summaries(device_id, property, window.edges)
    readings = sum(summary.count for summary in found.by_bucket.values())
    if readings <= max_points:
        rows = store().readings(device_id, [property], start, end, False, max_points + 1, None)
        if len(rows) == readings:  # fewer where raw readings were dropped: the rollups know more then
            points = [_as_point(row.at, row.value) for row in rows]
            return Chart("raw", "", 0, points, readings, _since(began))
    points = [_of_summary(window.starts[index], summary) for index, summary in sorted(found.by_bucket.items())]
    step = ruler(size, tz).nominal // 1000
    return Chart(found.source, size, step, points, readings, _since(began))


def _window(start: int, end: int, max_points: int, tz: str) -> tuple[str, Window]:
    if start >= end:
        raise HistoryError("end", "A time after the start.")
    if max(abs(start), abs(end)) > FURTHEST:
        raise HistoryError("start", "A time that a calendar can hold.")
    for size in SIZES:
        measure = ruler(size, tz)
        if (end - start) // measure.nominal < max_points:
            break
    return size, forward(measure, start, end, 2 * max_points + 2)


def _as_point(at: int, value: Any) -> list[Any]:
    edge = value if is_number(value) else None
    return [at / 1000, value, edge, edge, 1]


def _of_summary(at: int, summary: Summary) -> list[Any]:
    value = aggregate(None)(summary)
    is_line = is_number(value) and summary.numbers == summary.count
    return [at // 1000, value, summary.low if is_line else None, summary.high if is_line else None, summary.count]


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
