"""Whether devices are there: from what they say, from the broker's word, from silence.

`last_seen` is kept to the second: a device that is known to be online is written at most once a second, however
much it says. Words are taken in the order of their arrival; one that is older than what we know changes nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from devices.messages import Presence
from devices.models import DevicePresence

SECOND = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_UPSERT = """
    INSERT INTO devices_devicepresence (device_id, online, last_seen, changed_at, cause, clock_offset)
    SELECT * FROM unnest(%s::bigint[], %s::boolean[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::float8[])
    ON CONFLICT (device_id) DO UPDATE SET
        online = excluded.online, last_seen = excluded.last_seen, changed_at = excluded.changed_at, cause = excluded.cause,
        clock_offset = coalesce(excluded.clock_offset, devices_devicepresence.clock_offset)
"""
_SILENT = """
    UPDATE devices_devicepresence presence SET online = false, changed_at = now(), cause = 'silence'
    FROM devices_device device JOIN devices_product product ON product.id = device.product_id
    WHERE device.id = presence.device_id AND presence.online AND product.offline_after > 0
      AND greatest(presence.last_seen, %s) < now() - make_interval(secs => product.offline_after)
    RETURNING presence.device_id
"""


class Heard:
    """Remembers for a second who was written as online, so that a busy device costs one write a second."""

    def __init__(self) -> None:
        self._until: dict[int, int] = {}

    def is_fresh(self, word: Presence) -> bool:
        """Whether writing this word would change nothing but a fraction of a second."""
        return word.online and word.at < self._until.get(word.device_id, 0)

    def forget(self) -> None:
        self._until.clear()

    def note(self, words: Iterable[Presence]) -> None:
        for word in words:
            self._until[word.device_id] = word.at + SECOND if word.online else 0


def apply(words: Sequence[Presence], offsets: dict[int, int] | None = None) -> list[Presence]:
    """Write these words, in order, in the caller's transaction; returns those that changed online to offline or back.

    `offsets` are the devices' clocks minus ours, in µs.
    """
    last = {word.device_id: word for word in words}
    heard = {word.device_id: word.at for word in words if word.online or word.cause == "status"}
    known = DevicePresence.objects.filter(pk__in=last).order_by("pk").select_for_update().in_bulk()
    rows, changed = [], []
    for device_id in sorted(last):
        word, row = last[device_id], known.get(device_id)
        seen = max(filter(None, [row.last_seen if row else None, _moment(heard[device_id]) if device_id in heard else None]), default=None)
        if row and row.changed_at and _moment(word.at) < row.changed_at:
            continue  # older than what we know
        turns = row is None or row.online != word.online
        if turns:
            changed.append(word)
        changed_at = _moment(word.at) if turns or row is None else row.changed_at
        cause = word.cause if turns or row is None else row.cause
        offset = offsets[device_id] / SECOND if offsets and device_id in offsets else None
        rows.append((device_id, word.online, seen, changed_at, cause, offset))
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_UPSERT, [list(column) for column in zip(*rows, strict=True)])
    return changed


def sweep_silent(listening_since: datetime) -> list[Presence]:
    """Turn devices offline that were silent for longer than their product allows; returns what changed.

    Silence counts from `listening_since` at the earliest: while nobody listened, nobody was silent.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SILENT, [listening_since])
        now = int((timezone.now() - EPOCH) / timedelta(microseconds=1))
        changed = [Presence(device_id, False, now, "silence") for (device_id,) in cursor.fetchall()]
        if changed:
            tell_sinks(changed)
    return changed


def tell_sinks(changed: Sequence[Presence]) -> None:
    """Tell upper apps of changes, in the writer's transaction."""
    for path in settings.CHANGE_SINKS:
        import_string(path)(changed)


def online_since(presence: DevicePresence) -> datetime | None:
    """When the device came online; None where it is not."""
    return presence.changed_at if presence.online else None


def _moment(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=at)
