"""How these tests talk to the pipeline: as a device, with bytes on a topic."""

import time
from typing import Any

import orjson

from devices.connectors.clock import arrival
from devices.messages import Uplink
from devices.models import Device
from telemetry.models import DeadLetterRecord, ReportRow
from telemetry.uplink.pipeline import Outcome, process


def now_ms() -> int:
    return int(time.time() * 1000)


def uplink(topic: str, payload: Any, **overrides: Any) -> Uplink:
    """An uplink that arrives now; what is not bytes is sent as JSON."""
    body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    return Uplink(topic, body, arrival())._replace(**overrides)


def say(device: Device, kind: str, payload: Any, **overrides: Any) -> Outcome:
    """One message of a device through the pipeline."""
    return process([uplink(f"devices/{device.key}/up/{kind}", payload, **overrides)])


def reasons() -> list[str]:
    """The reasons of all dead letters, oldest first."""
    return list(DeadLetterRecord.objects.order_by("pk").values_list("reason", flat=True))


def stored(device: Device) -> list[dict[str, Any]]:
    """The values of all reports of a device, oldest first."""
    return list(ReportRow.objects.filter(device_id=device.pk).order_by("at").values_list("values", flat=True))
