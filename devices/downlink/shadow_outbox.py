"""Shadows on their way down: a shadow that is wanted is sent until the broker has taken its newest version.

A state may be sent twice without harm, so nothing is claimed beforehand.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.db import connection

from .moves import loaded

LIMIT = 200  # of one turn
SECONDS = 86_400.0
_READY = """
    SELECT shadow.device_id, device.key, device.parent_id, shadow.version, shadow.wanted,
           shadow.desired, shadow.reported, shadow.delta, shadow.shared
    FROM devices_shadow shadow
    JOIN devices_device device ON device.id = shadow.device_id
    LEFT JOIN devices_devicepresence presence ON presence.device_id = device.id
    WHERE shadow.device_id = ANY(%(devices)s) AND shadow.wanted <> '' AND device.enabled
      AND (presence.online OR (presence.last_seen IS NULL AND device.parent_id IS NOT NULL))
    LIMIT %(limit)s
"""
_TAKEN = """
    WITH taken AS (
        SELECT shadow.device_id FROM devices_shadow shadow
        JOIN jsonb_to_recordset(%(rows)s::jsonb) AS sent (device_id bigint, version bigint, wanted text)
          ON sent.device_id = shadow.device_id AND sent.version = shadow.version AND sent.wanted = shadow.wanted
        ORDER BY shadow.device_id FOR UPDATE OF shadow SKIP LOCKED
    )
    UPDATE devices_shadow shadow SET wanted = '', sent_at = %(now)s FROM taken WHERE taken.device_id = shadow.device_id
    RETURNING shadow.device_id
"""


class ReadyShadow(NamedTuple):
    """A shadow that may be sent now; `wanted` is `delta` or `whole`."""

    device_id: int
    key: str
    parent_id: int | None
    version: int
    wanted: str
    desired: dict[str, Any]
    reported: dict[str, Any]
    delta: dict[str, Any]
    shared: dict[str, Any]

    @property
    def levels(self) -> list[str]:
        return ["shadow"]

    @property
    def seconds(self) -> float:
        """How long the broker keeps it for a device whose session it holds."""
        return SECONDS

    def payload(self) -> bytes:
        parts: dict[str, Any] = {"delta": self.delta, "version": self.version}
        if self.wanted == "whole":
            parts |= {"desired": self.desired, "reported": self.reported}
            parts |= {"shared": self.shared} if self.shared else {}
        return orjson.dumps(parts)

    def shown(self) -> bytes:
        """What people may see of it."""
        return self.payload()


def ready(devices: Collection[int]) -> list[ReadyShadow]:
    """What may go to these devices now."""
    with connection.cursor() as cursor:
        cursor.execute(_READY, {"devices": list(devices), "limit": LIMIT})
        rows = cursor.fetchall()
    return [ReadyShadow(*row[:5], *map(loaded, row[5:])) for row in rows]


def mark_sent(sent: Sequence[ReadyShadow], now: datetime) -> set[int]:
    """The broker has these; returns the devices whose shadow has changed meanwhile, so that it has to go again."""
    rows = [{"device_id": each.device_id, "version": each.version, "wanted": each.wanted} for each in sent]
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, {"rows": orjson.dumps(rows).decode(), "now": now})
        return {each.device_id for each in sent} - {device_id for (device_id,) in cursor.fetchall()}


def wanted_devices() -> set[int]:
    """Devices that are there and whose shadow waits to be sent."""
    query = """
        SELECT shadow.device_id FROM devices_shadow shadow JOIN devices_devicepresence presence USING (device_id)
        WHERE shadow.wanted <> '' AND presence.online LIMIT 10000
    """
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {device_id for (device_id,) in cursor.fetchall()}
