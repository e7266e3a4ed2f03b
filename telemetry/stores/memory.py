"""The store in plain Python: what the others are measured against, and fast in tests."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from devices.exceptions import Invalid
from devices.messages import Report, Values

from .base import Reading, Store, Summaries, Summary, Verdict
from .instants import apply
from .levels import LARGEST


class MemoryStore(Store):
    in_tables = False

    def __init__(self) -> None:
        self.rows: dict[int, dict[int, Values]] = {}

    def write(self, reports: Sequence[Report]) -> list[Verdict]:
        """See Store.write."""
        return [self._write(report) for report in reports]

    def _write(self, report: Report) -> Verdict:
        try:
            body = orjson.dumps(report.values)
        except (TypeError, ValueError) as error:
            return Invalid("store_refused", str(error))
        if b"\\u0000" in body:
            return Invalid("store_refused", "unsupported Unicode escape sequence")
        row = self.rows.setdefault(report.device_id, {})
        row[report.at], [written] = apply(row.get(report.at), [orjson.loads(body)])
        return written

    def _readings(self, device_id: int, properties: Sequence[str]) -> Iterator[Reading]:
        """All readings by time and then property."""
        for at, values in sorted(self.rows.get(device_id, {}).items()):
            for name in sorted(values, key=str.encode):
                if values[name] is not None and (not properties or name in properties):
                    yield Reading(name, at, values[name])

    def readings(
        self, device_id: int, properties: Sequence[str], start: int, end: int, newest_first: bool, limit: int, after: tuple[int, str] | None
    ) -> list[Reading]:
        """See Store.readings."""
        found = [reading for reading in self._readings(device_id, properties) if start <= reading.at < end]
        if newest_first:  # the properties of one instant stay in their order
            found.sort(key=lambda reading: -reading.at)
        if after:
            found = [reading for reading in found if _is_behind(reading, after, newest_first)]
        return found[:limit]

    def summaries(self, device_id: int, property: str, edges: Sequence[int]) -> Summaries:
        """See Store.summaries."""
        buckets: dict[int, list[Reading]] = {}
        for reading in self._readings(device_id, [property]):
            if edges[0] <= reading.at < edges[-1]:
                buckets.setdefault(bisect_right(edges, reading.at) - 1, []).append(reading)
        return Summaries({index: summarize(readings) for index, readings in buckets.items()}, "raw")

    def neighbour(self, device_id: int, property: str, instant: int, before: bool) -> Reading | None:
        """See Store.neighbour."""
        readings = list(self._readings(device_id, [property]))
        if before:
            return next((reading for reading in reversed(readings) if reading.at < instant), None)
        return next((reading for reading in readings if reading.at >= instant), None)


def _is_behind(reading: Reading, after: tuple[int, str], newest_first: bool) -> bool:
    at, name = after
    if reading.at == at:
        return reading.property.encode() > name.encode()
    return (reading.at < at) == newest_first


def summarize(readings: Sequence[Reading]) -> Summary:
    """The summary of readings that are sorted by time."""
    numbers = [float(reading.value) for reading in readings if isinstance(reading.value, int | float)]
    total, low, high = (sum(map(_bounded, numbers)), min(numbers), max(numbers)) if numbers else (None, None, None)
    first, last = readings[0], readings[-1]
    return Summary(len(readings), len(numbers), total, low, high, first.value, first.at, last.value, last.at)


def _bounded(number: Any) -> float:
    return float(min(max(number, -LARGEST), LARGEST))
