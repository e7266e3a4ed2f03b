"""When devices came and went: noted with each change, in its transaction, and read by time. Instants are µs since 1970."""

from collections.abc import Iterator, Sequence

import orjson

from devices.messages import Presence
from devices.models import PresenceChange
from devices.timestamps import to_datetime, to_microseconds
from iotpanel.statements import prepared

_NOTE = """
    INSERT INTO devices_presencechange (device_id, at, online, cause)
    SELECT device_id, 'epoch'::timestamptz + at * interval '1 microsecond', online, cause
    FROM jsonb_to_recordset(%s::text::jsonb) AS word (device_id bigint, at bigint, online boolean, cause text)
"""


def note(changed: Sequence[Presence]) -> None:
    """Write changes, in the transaction that made them. Where nothing changed, nothing is said to the database."""
    if changed:
        prepared(_NOTE, [orjson.dumps([word._asdict() for word in changed]).decode()])


def standing(device_id: int, before: int) -> bool | None:
    """Whether a device was online just before an instant; None where that is not known."""
    rows = PresenceChange.objects.filter(device_id=device_id, at__lt=to_datetime(before))
    return rows.order_by("-at", "-id").values_list("online", flat=True).first()


def between(device_id: int, start: int, end: int, most: int) -> Iterator[tuple[int, bool]]:
    """When a device came (True) and went in [start, end), by time; at most so many."""
    rows = PresenceChange.objects.filter(device_id=device_id, at__gte=to_datetime(start), at__lt=to_datetime(end))
    for at, online in rows.order_by("at", "id").values_list("at", "online")[:most]:
        yield to_microseconds(at), online
