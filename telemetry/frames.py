"""Raw frames: the newest messages of a device as bytes, recorded only while somebody looks.

They live in Valkey, not in the database: they are for the person who is debugging right now, cost nothing while
nobody is, and are gone soon after.
"""

from typing import Any

import orjson
import redis

from devices.exceptions import Unavailable
from devices.models import Device
from iotpanel.valkey import client

from .live import recorder, register

WATCH = 60  # seconds that one look keeps the recording on


def watch(device: Device, *, seconds: int = WATCH) -> None:
    """Have the device's frames recorded from now on for `seconds`. Raises Unavailable."""
    try:
        register.watch_frames(client(), device.pk, seconds=seconds)
    except redis.RedisError as error:
        raise Unavailable(f"frames cannot be recorded: {error}") from error


def newest(device: Device, limit: int = recorder.KEPT) -> list[dict[str, Any]]:
    """The recorded frames, newest first, at most 500: see `recorder.as_json`. Raises Unavailable."""
    try:
        packed = client().lrange(recorder.key(device.pk), 0, min(limit, recorder.KEPT) - 1)
    except redis.RedisError as error:
        raise Unavailable(f"frames cannot be read: {error}") from error
    return [orjson.loads(frame) for frame in packed]
