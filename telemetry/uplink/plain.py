"""The short way of nearly every message: one JSON object of known readings from MQTT, judged in one go.

It finds what `Judge.samples` finds, or says that it is not sure and has changed nothing: then the judge takes its
time, and says what is wrong. A test compares the two on whatever payloads it can think of.
"""

from typing import Any

import orjson

from devices.codecs.json import MAX_BYTES, MAX_DEPTH
from devices.directory import DeviceEntry
from devices.exceptions import Invalid
from devices.messages import Report, Uplink
from devices.timestamps import parse_ts

from .findings import Findings, Origin
from .server_time import SERVER_TIMES

_new = tuple.__new__  # a named tuple's own constructor takes twice as long


def take(findings: Findings, origin: Origin, device: DeviceEntry, uplink: Uplink) -> bool:
    """Note the report of a telemetry message; False, and nothing noted, where it needs a closer look."""
    payload = uplink.payload
    if uplink.source != "mqtt" or len(payload) > MAX_BYTES or payload.count(b"{") + payload.count(b"[") > MAX_DEPTH:
        return False
    try:
        ts, values = _parts(orjson.loads(payload))
        if not values or None in values.values() or device.product.model.check_values(values):
            return False
        at = parse_ts(ts, uplink.received_at) if ts is not None else None
    except (Invalid, orjson.JSONDecodeError):
        return False
    if at is None:
        at = SERVER_TIMES.distinct(device.id, uplink.received_at)
    else:
        findings.offsets[device.id] = at - uplink.received_at
    findings.reports.items.append(_new(Report, (device.id, at, values, uplink.received_at)))
    findings.reports.origins.append(origin)
    return True


def _parts(data: Any) -> tuple[Any, Any]:
    """The `ts` and the values of an object in its long or short form; no values where it is anything else."""
    if type(data) is dict:
        values = data.get("values")
        if type(values) is dict and len(data) == 1 + ("ts" in data):
            return data.get("ts"), values
        if "values" not in data and "ts" not in data:
            return None, data
    return None, None
