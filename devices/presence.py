"""Whether devices are there: from what they say, from the broker's word, from silence.

`last_seen` is kept to the second: a device that is known to be online is written at most once a second, however
much it says. Words are taken in the order of their arrival; one that is older than what we know changes nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from devices import presence_history
from devices.downlink import wake
from devices.messages import Change, Presence
from devices.timestamps import EPOCH
from iotpanel.statements import prepared

SECOND = 1_000_000

# One statement: what was known is locked in the order of ids and remembered before it is written over.
_APPLY = """
    WITH said AS (
        SELECT device_id, online, cause, clock_offset, 'epoch'::timestamptz + at * interval '1 microsecond' AS at,
               'epoch'::timestamptz + seen * interval '1 microsecond' AS seen
        FROM jsonb_to_recordset(%s::text::jsonb)
             AS word (device_id bigint, online boolean, at bigint, seen bigint, cause text, clock_offset float8)
    ), known AS (
        SELECT presence.device_id, presence.online FROM devices_devicepresence presence
        WHERE presence.device_id IN (SELECT device_id FROM said) ORDER BY presence.device_id FOR UPDATE
    ), written AS (
        INSERT INTO devices_devicepresence AS row (device_id, online, last_seen, changed_at, cause, clock_offset)
        SELECT device_id, online, seen, at, cause, clock_offset FROM said
        WHERE (SELECT count(*) FROM known) >= 0 -- read before it is written over
        ORDER BY device_id
        ON CONFLICT (device_id) DO UPDATE SET
            online = excluded.online,
            last_seen = greatest(row.last_seen, excluded.last_seen),
            changed_at = CASE
                WHEN row.online = excluded.online THEN coalesce(row.changed_at, excluded.changed_at) ELSE excluded.changed_at
            END,
            cause = CASE WHEN row.online = excluded.online THEN row.cause ELSE excluded.cause END,
            clock_offset = coalesce(excluded.clock_offset, row.clock_offset)
        WHERE row.changed_at IS NULL OR row.changed_at <= excluded.changed_at
        RETURNING row.device_id, row.online
    )
    SELECT written.device_id FROM written LEFT JOIN known USING (device_id) WHERE known.online IS DISTINCT FROM written.online
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
        self._timed: dict[int, int] = {}  # the same for those whose clock was written with it

    def knows(self, device_id: int, at: int) -> bool:
        """Whether writing that a device was there at this time would change nothing but a fraction of a second."""
        return at < self._until.get(device_id, 0)

    def untimed(self, offsets: Iterable[int]) -> set[int]:
        """Those of these devices that were written without their clock: a device may connect, say one thing, and sleep."""
        return {device_id for device_id in offsets if self._timed.get(device_id) != self._until.get(device_id)}

    def forget(self) -> None:
        self._until.clear()
        self._timed.clear()

    def note(self, words: Iterable[Presence], offsets: Collection[int] = ()) -> None:
        """These words were written, with the clocks of `offsets`."""
        for word in words:
            self._until[word.device_id] = until = word.at + SECOND if word.online else 0
            if word.device_id in offsets:
                self._timed[word.device_id] = until


def apply(words: Sequence[Presence], offsets: dict[int, int] | None = None) -> list[Presence]:
    """Write these words, in order, in the caller's transaction; returns those that changed online to offline or back.

    `offsets` are the devices' clocks minus ours, in µs.
    """
    last = {word.device_id: word for word in words}
    seen = {word.device_id: word.at for word in words if word.online or word.cause == "status"}
    rows = [
        {
            "device_id": word.device_id,
            "online": word.online,
            "at": word.at,
            "seen": seen.get(word.device_id),
            "cause": word.cause,
            "clock_offset": offsets[word.device_id] / SECOND if offsets and word.device_id in offsets else None,
        }
        for word in last.values()
    ]
    if not rows:
        return []
    changed = [last[device_id] for (device_id,) in prepared(_APPLY, [orjson.dumps(rows).decode()])]
    presence_history.note(changed)
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
            presence_history.note(changed)
            tell_sinks(changed)
    return changed


def tell_sinks(changed: Sequence[Change]) -> None:
    """Tell upper apps of changes, in the writer's transaction; the dispatcher too, where a device has come."""
    wake.came({each.device_id for each in changed if isinstance(each, Presence) and each.online})
    for path in settings.CHANGE_SINKS:
        import_string(path)(changed)
