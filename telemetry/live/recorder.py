"""How raw frames are kept in Valkey: a short list per device, bounded in number, size and time."""

import base64
from typing import Any

import orjson
import redis

from iotpanel.valkey import PREFIX

from .wire import milliseconds

KEPT = 500  # frames of a device
SHOWN = 4096  # bytes of a frame; its true size is kept beside them
LIFETIME = 600  # seconds after the last frame


def key(device_id: int) -> str:
    """Where a device's frames are."""
    return f"{PREFIX}frames:{device_id}"


def as_json(topic: str, payload: bytes, received_at: int, verdict: str, detail: str, direction: str = "up") -> dict[str, Any]:
    """A frame as REST and WebSocket show it; `ts` is when we received it, in milliseconds."""
    return {
        "direction": direction,
        "topic": topic,
        "payload_base64": base64.b64encode(payload[:SHOWN]).decode(),
        "size": len(payload),
        "ts": milliseconds(received_at),
        "verdict": verdict,
        "detail": detail,
    }


def turn(pipe: "redis.client.Pipeline", entries: list[tuple[str, bytes, int, int]]) -> None:
    """Queue entries of rings, as `(ring, entry, how many it holds, seconds that it lives)`, on a pipeline that the caller executes."""
    for ring, entry, most, seconds in entries:
        pipe.lpush(ring, entry)
        pipe.ltrim(ring, 0, most - 1)
        pipe.expire(ring, seconds)


def record(pipe: "redis.client.Pipeline", frames: list[tuple[int, dict[str, Any]]]) -> None:
    """Queue frames, as `(device id, frame as JSON)`, oldest first, on a pipeline that the caller executes."""
    by_device: dict[int, list[bytes]] = {}
    for device_id, frame in frames:
        by_device.setdefault(device_id, []).append(orjson.dumps(frame))
    for device_id, packed in by_device.items():
        pipe.lpush(key(device_id), *packed[-KEPT:])
        pipe.ltrim(key(device_id), 0, KEPT - 1)
        pipe.expire(key(device_id), LIFETIME)
