"""History as CSV, streamed: a page is read when the one before it was sent."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from devices.timestamps import to_datetime
from telemetry.stores.base import Reading

from .page import Bucket, Page

PAGE = 5000
COLUMNS = ("device", "property", "at", "value")
# What a spreadsheet would take for a formula is told apart by a quotation mark in front.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_lines(device_key: str, pages: Callable[[int, str | None], Page[Reading] | Page[Bucket]], limit: int | None = None) -> Iterator[str]:
    """Lines of CSV with a head; `pages(limit, cursor)` gives the rows, `limit` ends them.

    Times are ISO 8601 in UTC; JSON values are JSON; texts that a spreadsheet would calculate are neutralised.
    """
    yield _lines([COLUMNS])
    cursor, left = None, limit
    while left is None or left > 0:
        page = pages(PAGE if left is None else min(PAGE, left), cursor)
        yield _lines((neutral(device_key), neutral(row.property), iso(row.at), cell(row.value)) for row in page.results)
        if page.next is None:
            return
        cursor, left = page.next, None if left is None else left - len(page.results)


def _lines(rows: Any) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def iso(at: int) -> str:
    """ISO 8601 in UTC, to the microsecond where it matters."""
    return to_datetime(at).isoformat(timespec="milliseconds" if at % 1000 == 0 else "microseconds").replace("+00:00", "Z")


def cell(value: Any) -> Any:
    """A value as a cell."""
    if isinstance(value, str):
        return neutral(value)
    if isinstance(value, bool | dict | list):
        return orjson.dumps(value).decode()
    return value


def neutral(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
