"""The short way of nearly every message: known readings of one instant from MQTT, as JSON or by a script, judged in one go.

It finds what the judge finds, or says that it is not sure and has changed nothing: then the judge takes its time, and
says what is wrong. A test compares the two on whatever payloads it can think of.
"""

from typing import Any

import orjson

from devices.codecs.json import MAX_BYTES, MAX_DEPTH
from devices.directory import DeviceEntry, ProductEntry
from devices.exceptions import Invalid
from devices.messages import Report, Sample, Uplink, Values
from devices.thing_model import ThingModel
from devices.timestamps import parse_ts

from .findings import WHOLE, Findings, Origin
from .server_time import SERVER_TIMES

Bounds = dict[str, tuple[float, float]]
MOST_PRODUCTS = 10_000
_BOUNDS: dict[int, tuple[ThingModel, Bounds]] = {}
_new = tuple.__new__  # a named tuple's own constructor takes twice as long


def take(findings: Findings, origin: Origin, device: DeviceEntry, uplink: Uplink) -> bool:
    """Note the report of a telemetry message; False, and nothing noted, where it needs a closer look."""
    payload = uplink.payload
    if uplink.source != "mqtt" or len(payload) > MAX_BYTES:
        return False
    try:
        ts, values = _parts(orjson.loads(payload))
        if not values or not (_are_within(values, _bounds(device.product)) or _are_known(values, payload, device.product)):
            return False
        at = parse_ts(ts, uplink.received_at) if ts is not None else None
    except (Invalid, orjson.JSONDecodeError):
        return False
    _note(findings, origin, device, values, at)
    return True


def take_sample(findings: Findings, origin: Origin, device: DeviceEntry, sample: Sample) -> bool:
    """The same for the only sample of a frame, whose depth the script's limits bound already."""
    ts, values = sample
    product = device.product
    if origin.uplink.source != "mqtt" or not values:
        return False
    try:
        if not _are_within(values, _bounds(product)) and (None in values.values() or product.model.check_values(values)):
            return False
        at = parse_ts(ts, origin.uplink.received_at) if ts is not None else None
    except Invalid:
        return False
    _note(findings, origin, device, values, at)
    return True


def _note(findings: Findings, origin: Origin, device: DeviceEntry, values: Values, at: int | None) -> None:
    received_at = origin.uplink.received_at
    if at is None:
        at = SERVER_TIMES.distinct(device.id, received_at)
        if device.product.archives:
            findings.bases.setdefault((origin.place, device.id), at)
    elif origin.piece is WHOLE:
        findings.offsets[device.id] = at - received_at
    findings.reports.items.append(_new(Report, (device.id, at, values, received_at)))
    findings.reports.origins.append(origin)


def _parts(data: Any) -> tuple[Any, Any]:
    """The `ts` and the values of an object in its long or short form; no values where it is anything else."""
    if type(data) is dict:
        values = data.get("values")
        if type(values) is dict and len(data) == 1 + ("ts" in data):
            return data.get("ts"), values
        if "values" not in data and "ts" not in data:
            return None, data
    return None, None


def _are_within(values: Values, bounds: Bounds) -> bool:
    """Whether all are numbers between the bounds of their properties: what nearly every value is. NaN is not."""
    for name, value in values.items():
        pair = bounds.get(name)
        if pair is None or (type(value) is not float and type(value) is not int) or not pair[0] <= value <= pair[1]:
            return False
    return True


def _are_known(values: Values, payload: bytes, product: ProductEntry) -> bool:
    """Whether the thing model knows and allows all of them, and none needs its depth looked at. Raises Invalid."""
    if payload.count(b"{") + payload.count(b"[") > MAX_DEPTH or None in values.values():
        return False
    return not product.model.check_values(values)


def _bounds(product: ProductEntry) -> Bounds:
    """The number properties with a lowest and a highest value and no list of values."""
    known = _BOUNDS.get(product.id)
    if known is None or known[0] is not product.model:
        if len(_BOUNDS) >= MOST_PRODUCTS:
            _BOUNDS.clear()
        numbers = [each for each in product.model.properties.values() if each.type == "number" and each.enum is None]
        bounds = {each.key: (each.min, each.max) for each in numbers if each.min is not None and each.max is not None}
        known = _BOUNDS[product.id] = product.model, bounds
    return known[1]
