"""Raw readings, page by page."""

from collections.abc import Sequence

from telemetry.stores import store
from telemetry.stores.base import Reading

from .page import Page, read_cursor, write_cursor

FOREVER = 1 << 60


def raw(
    device_id: int,
    *,
    properties: Sequence[str] = (),
    start: int | None = None,
    end: int | None = None,
    newest_first: bool = True,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[Reading]:
    """Readings in [start, end) (µs since 1970) by time and then property; of all properties where none is named.

    The caller has checked that the device may be seen. Raises HistoryError.
    """
    after = read_cursor(cursor)
    first, last = (-FOREVER if start is None else start), (FOREVER if end is None else end)
    rows = store().readings(device_id, properties, first, last, newest_first, limit + 1, after)
    more = len(rows) > limit
    return Page(rows[:limit], write_cursor(rows[limit - 1].at, rows[limit - 1].property) if more else None, "raw")
