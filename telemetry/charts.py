"""A property over a window as a chart draws it: a line of numbers, or the states that held."""

from datetime import datetime
from time import perf_counter
from typing import Any

from django.utils import timezone

from devices.models import Device
from devices.thing_model import Property
from devices.timestamps import to_microseconds
from telemetry import latest, rhythm
from telemetry.states import SECOND, states, step_for
from telemetry.stores import store
from telemetry.tiles import kind_of, model_of

SPARK_POINTS = 72
Line = dict[str, Any]


def property_of(device: Device, name: str) -> Property:
    """The property as the thing model has it, else as its newest value shows it."""
    if known := model_of(device.product).properties.get(name):
        return known
    found = latest.read([device.pk], [name]).get(device.pk, {})
    return Property(key=name, name=name, type=kind_of(found[name][0]) if name in found else "number")


def line(device: Device, name: str, start: datetime, end: datetime, points: int) -> Line:
    """What is drawn in [start, end).

    Of numbers `kind: numbers` with `points: [[ms, average, minimum, maximum, count], ...]` in buckets of `bucket`
    seconds (0: each point is a reading); of all else `kind: states` with `segments: [[from ms, to ms, value], ...]`.
    `readings` were read from `source` in `took` ms; `period` is the expected pause in seconds, or null.
    """
    prop = property_of(device, name)
    period = prop.period or rhythm.estimate(device.pk).get(name)
    began = perf_counter()
    first, last = to_microseconds(start), to_microseconds(min(end, timezone.now()))
    if prop.type == "number":
        drawn = _numbers(device.pk, name, first, max(first, last), points)
    else:
        drawn = _states(device.pk, name, first, max(first, last), points, period)
    described = {"name": prop.name, "label": f"{device.name} · {prop.name}", "unit": prop.unit, "precision": prop.precision}
    took = round((perf_counter() - began) * 1000, 1)
    return drawn | described | {"min": prop.min, "max": prop.max, "period": period, "took": took}


def spark(device: Device, name: str, start: datetime, end: datetime) -> Line:
    """The few points of a sparkline: `{"points": [[ms, average, ...], ...], "bucket": seconds}`; booleans as 0 and 1."""
    drawn = _numbers(device.pk, name, to_microseconds(start), to_microseconds(end), SPARK_POINTS)
    return {"points": drawn["points"], "bucket": drawn["bucket"]}


def _numbers(device_id: int, name: str, start: int, end: int, points: int) -> Line:
    """Buckets from the rollup that the store finds right, or each reading where there are no more than points."""
    step = step_for(end - start, points)
    width = step * SECOND
    edges = list(range(start // width * width, end + width, width))
    found = store().summaries(device_id, name, edges)
    readings = sum(bucket.numbers for bucket in found.by_bucket.values())
    if readings <= points and (drawn := _readings(device_id, name, start, end, points)) is not None:
        return {"kind": "numbers", "points": drawn, "bucket": 0, "source": "raw", "readings": len(drawn)}
    rows = [
        [edges[index] / 1000, bucket.total / bucket.numbers, bucket.low, bucket.high, bucket.numbers]
        for index, bucket in sorted(found.by_bucket.items())
        if bucket.numbers and bucket.total is not None
    ]
    return {"kind": "numbers", "points": rows, "bucket": step, "source": found.source, "readings": readings}


def _readings(device_id: int, name: str, start: int, end: int, most: int) -> list[list[Any]] | None:
    """Each number on its own; None where there are more than `most`, or raw readings are gone and rollups remain."""
    found = store().readings(device_id, [name], start, end, False, most + 1, None)
    if len(found) > most or not found:
        return None
    numbers = [(reading.at, reading.value) for reading in found if isinstance(reading.value, int | float)]
    return [[at / 1000, value, value, value, 1] for at, value in numbers]


def _states(device_id: int, name: str, start: int, end: int, points: int, period: float | None) -> Line:
    found = states(device_id, name, start, end, points=points, period=period)
    segments = [[segment.start / 1000, segment.end / 1000, segment.value] for segment in found.segments]
    return {"kind": "states", "segments": segments, "bucket": found.bucket, "source": found.source, "readings": found.readings}
