"""Events of devices: written idempotently, read by time."""

from collections.abc import Sequence
from hashlib import blake2b

import orjson

from devices.messages import EventReport
from devices.timestamps import to_datetime
from iotpanel.statements import execute

from .models import Event
from .stores.backend.packed import bigints, blobs, instants, jsons, texts
from .stores.base import Verdict, Written
from .stores.poison import write_around
from .stores.session import unavailable_unless_refused

Key = tuple[int, int, str, bytes]

INSERT = """
    INSERT INTO telemetry_event (device_id, at, name, digest, params, received_at)
    SELECT * FROM unnest(%s, %s, %s, %s, %s, %s) AS new (device_id, at, name, digest, params, received_at)
    ORDER BY 1, 2, 3, 4
    ON CONFLICT DO NOTHING
    RETURNING device_id, (extract(epoch FROM at) * 1000000)::bigint, name, digest
"""


def write(events: Sequence[EventReport]) -> list[Verdict]:
    """Write a batch's events in the caller's transaction; one verdict per event, in order. Raises Unavailable.

    The same name, parameters and instant again are a duplicate.
    """
    with unavailable_unless_refused(savepoint=False):
        return write_around(_insert, events)


def _insert(events: Sequence[EventReport]) -> list[Written]:
    bodies = [orjson.dumps(event.params, option=orjson.OPT_SORT_KEYS) for event in events]
    keys = [(event.device_id, event.at, event.name, _digest(body)) for event, body in zip(events, bodies, strict=True)]
    rows: dict[Key, tuple[bytes, int]] = {}
    for key, body, event in zip(keys, bodies, events, strict=True):
        rows.setdefault(key, (body, event.received_at))
    new = _insert_rows(rows)
    return [Written.STORED if _take(new, key) else Written.DUPLICATE for key in keys]


def _insert_rows(rows: dict[Key, tuple[bytes, int]]) -> set[Key]:
    devices, moments, names, digests = zip(*rows, strict=True)
    bodies, arrivals = zip(*rows.values(), strict=True)
    columns = [bigints(devices), instants(moments), texts(names), blobs(digests), jsons(bodies), instants(arrivals)]
    return {(device_id, at, name, bytes(digest)) for device_id, at, name, digest in execute(INSERT, columns)}


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()


def _take(new: set[Key], key: Key) -> bool:
    """Whether this is the first of its key: the others of the batch are duplicates of it."""
    if key not in new:
        return False
    new.remove(key)
    return True


def read(
    device_id: int,
    *,
    start: int | None = None,
    end: int | None = None,
    name: str | None = None,
    newest_first: bool = True,
    limit: int = 100,
) -> list[Event]:
    """A device's events in [start, end) (µs since 1970), by time."""
    events = Event.objects.filter(device_id=device_id)
    if start is not None:
        events = events.filter(at__gte=to_datetime(start))
    if end is not None:
        events = events.filter(at__lt=to_datetime(end))
    if name is not None:
        events = events.filter(name=name)
    order = ("-at", "-name", "-digest") if newest_first else ("at", "name", "digest")
    return list(events.order_by(*order)[:limit])
