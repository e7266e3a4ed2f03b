"""Errands on their way down: an offer is sent until the broker has taken it; a piece of an image once for each wish.

A device that hears an offer twice goes on with what it does, so nothing is claimed beforehand.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import structlog
from django.db import connection

from devices.firmware import addresses, files
from iotpanel import metrics
from iotpanel.tenants.encryption import decrypt

from .errand_words import SECRET

LIMIT = 500  # offers of one turn
PIECES = 100  # pieces of one turn
STALE = 60.0  # seconds after which nobody waits for a piece any more
PIECE_SECONDS = 30.0
HIDDEN = "***"
log = structlog.get_logger(__name__)
_THERE = "device.enabled AND (presence.online OR (presence.last_seen IS NULL AND device.parent_id IS NOT NULL))"
_OFFER = """
    SELECT errand.id, errand.device_id, device.key, device.parent_id, errand.kind, errand.timeout, errand.sealed,
           firmware.id, firmware.version, firmware.size, firmware.sha256, firmware.signature
    FROM devices_errand errand
    JOIN devices_device device ON device.id = errand.device_id
    LEFT JOIN devices_firmware firmware ON firmware.id = errand.firmware_id
    LEFT JOIN devices_devicepresence presence ON presence.device_id = device.id
    WHERE errand.device_id = ANY(%(devices)s) AND errand.finished_at IS NULL
"""
_READY = f"{_OFFER} AND errand.wanted AND {_THERE} ORDER BY errand.id LIMIT %(limit)s"
_SENT = """
    WITH taken AS (
        SELECT id FROM devices_errand WHERE id = ANY(%(ids)s) AND wanted AND finished_at IS NULL ORDER BY id FOR UPDATE SKIP LOCKED
    )
    UPDATE devices_errand errand SET
        wanted = false, state = CASE WHEN state = 'queued' THEN 'sent' ELSE state END, sent_at = %(now)s,
        due_at = %(now)s + make_interval(secs => timeout)
    FROM taken WHERE taken.id = errand.id
"""
_LOST = """
    UPDATE devices_errand SET state = 'failed', reason = 'package_gone', finished_at = now(), wanted = false, sealed = ''
    WHERE id = ANY(%(ids)s) AND finished_at IS NULL
"""
_WISHES = """
    SELECT wish.device_id, device.key, device.parent_id, firmware.sha256, firmware.file, wish."offset", wish.length
    FROM devices_chunkrequest wish
    JOIN devices_firmware firmware ON firmware.id = wish.firmware_id
    JOIN devices_device device ON device.id = wish.device_id
    WHERE wish.device_id = ANY(%s) ORDER BY wish.asked_at LIMIT %s
"""


class ReadyErrand(NamedTuple):
    """An offer that may be sent now."""

    id: int
    device_id: int
    key: str
    parent_id: int | None
    kind: str
    timeout: float
    sealed: str
    firmware_id: int | None
    version: str | None
    size: int | None
    sha256: str | None
    signature: str | None

    @property
    def levels(self) -> list[str]:
        return [self.kind]

    @property
    def seconds(self) -> float:
        """How long the broker keeps it."""
        return self.timeout

    def payload(self) -> bytes:
        return orjson.dumps(self.offer())

    def shown(self) -> bytes:
        """What people may see of it: the secret and the signed address are the device's alone."""
        return orjson.dumps({name: HIDDEN if name in ("secret", "url") else value for name, value in self.offer().items()})

    def is_whole(self) -> bool:
        """Whether there is something to send: its package may have gone, or the platform's key have changed."""
        if self.kind != "credentials":
            return self.firmware_id is not None
        try:
            return bool(decrypt(self.sealed.encode(), purpose=SECRET))
        except ValueError:
            return False

    def offer(self) -> dict[str, Any]:
        """What the device is told. The address is made now, so that it is fresh when it arrives."""
        if self.kind == "credentials":
            return {"id": self.id, "secret": decrypt(self.sealed.encode(), purpose=SECRET)}
        url = addresses.make(self.firmware_id or 0, self.device_id)
        about: dict[str, Any] = {"version": self.version, "size": self.size, "sha256": self.sha256, "url": url}
        return about | ({"signature": self.signature} if self.signature else {})


class ReadyPiece(NamedTuple):
    """A piece of an image that a device waits for."""

    device_id: int
    key: str
    parent_id: int | None
    sha256: str
    file: str
    offset: int
    length: int

    @property
    def levels(self) -> list[str]:
        """The digest's beginning keeps pieces of two images apart."""
        return ["ota", "chunk", self.sha256[:8], str(self.offset)]

    @property
    def seconds(self) -> float:
        return PIECE_SECONDS

    def payload(self) -> bytes:
        return files.read(self.file, self.offset, self.length)

    def shown(self) -> bytes:
        """What people may see of it."""
        return self.payload()


def ready(devices: Collection[int]) -> list[ReadyErrand]:
    """Offers that may go to these devices now."""
    with connection.cursor() as cursor:
        cursor.execute(_READY, {"devices": list(devices), "limit": LIMIT})
        rows = [ReadyErrand(*row) for row in cursor.fetchall()]
    able = [row for row in rows if row.is_whole()]
    if lost := [row.id for row in rows if not row.is_whole()]:
        log.error("errand_lost", ids=lost[:20])
        _write(_LOST, ids=lost)
    return able


def open_offer(device_id: int) -> ReadyErrand | None:
    """The update that a device may fetch by itself, whether it was sent before or not."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_OFFER} AND errand.kind = 'ota'", {"devices": [device_id]})
        rows = [ReadyErrand(*row) for row in cursor.fetchall()]
    return next((row for row in rows if row.firmware_id), None)


def mark_sent(sent: Sequence[ReadyErrand], now: datetime) -> set[int]:
    """The broker has these, or a device has fetched them; from now on the device's silence counts."""
    _write(_SENT, ids=[each.id for each in sent], now=now)
    return set()


def wishes(devices: Collection[int]) -> list[ReadyPiece]:
    """Pieces that these devices wait for, the longest waiting first."""
    with connection.cursor() as cursor:
        cursor.execute(_WISHES, [list(devices), PIECES])
        return [ReadyPiece(*row) for row in cursor.fetchall()]


def grant(pieces: Sequence[ReadyPiece]) -> None:
    """These are about to be published, once: a device whose piece is lost asks again."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM devices_chunkrequest WHERE device_id = ANY(%s)", [[each.device_id for each in pieces]])


def settle_pieces(sent: Sequence[ReadyPiece], now: datetime) -> set[int]:
    """Nothing is remembered of them."""
    metrics.FIRMWARE_BYTES.labels("mqtt").inc(sum(each.length for each in sent))
    return set()


def wanted_devices() -> set[int]:
    """Devices that are there and wait for something; wishes that nobody waits for any more are dropped."""
    query = f"""
        SELECT errand.device_id FROM devices_errand errand JOIN devices_device device ON device.id = errand.device_id
        LEFT JOIN devices_devicepresence presence ON presence.device_id = device.id
        WHERE errand.wanted AND errand.finished_at IS NULL AND {_THERE}
        UNION SELECT device_id FROM devices_chunkrequest LIMIT 10000
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM devices_chunkrequest WHERE asked_at < now() - make_interval(secs => %s)", [STALE])
        cursor.execute(query)
        return {device_id for (device_id,) in cursor.fetchall()}


def _write(query: str, **given: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, given)
