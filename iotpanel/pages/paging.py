"""Pages of a list by cursor: what comes or goes meanwhile moves nothing under the reader's eyes."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Lower

PER_PAGE = 50
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
ORDERS: dict[str, Any] = {
    "key": F("key"),
    "name": Lower("name"),
    "product": Lower("product__name"),
    "seen": Coalesce("presence__last_seen", Value(NEVER)),
    "received": F("received_at"),
    "raised": F("raised_at"),
    "at": F("at"),
}
TIMES = ("seen", "received", "raised", "at")


class Cursor(NamedTuple):
    """The row beside which a page begins: its place in the order, its number, and whether the page lies before it."""

    value: str
    pk: int
    start: int
    before: bool


class Page(NamedTuple):
    rows: list[Any]
    start: int
    before: str
    after: str


def read_cursor(text: str) -> Cursor | None:
    """What a link says; None for the first page, and for text that is no cursor."""
    try:
        value, pk, start, before = orjson.loads(base64.urlsafe_b64decode(text.encode()))
        return Cursor(str(value), int(pk), max(0, int(start)), bool(before))
    except (binascii.Error, ValueError, TypeError):
        return None


def _written(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(list(cursor))).decode()


def _value_of(cursor: Cursor, sort: str) -> Any:
    if sort not in TIMES:
        return cursor.value.replace("\x00", "")
    try:
        return datetime.fromisoformat(cursor.value)
    except ValueError:
        return NEVER


def page(rows: QuerySet[Any], order: str, cursor: Cursor | None, per_page: int = PER_PAGE) -> Page:
    """One page of `rows` in `order` (a name of ORDERS, `-` before it turns it)."""
    sort, down = order.removeprefix("-"), order.startswith("-")
    backwards = cursor is not None and cursor.before
    falling = down != backwards
    rows = rows.annotate(place=ORDERS[sort]).order_by("-place" if falling else "place", "-pk" if falling else "pk")
    if cursor is not None:
        step, value = ("lt" if falling else "gt"), _value_of(cursor, sort)
        rows = rows.filter(Q(**{f"place__{step}": value}) | Q(**{"place": value, f"pk__{step}": cursor.pk}))
    found = list(rows[: per_page + 1])
    more, found = len(found) > per_page, found[:per_page]
    if backwards:
        found.reverse()
    start = _start(cursor, len(found))
    return Page(found, start, _before(found, start, more or not backwards, cursor), _after(found, start, more or backwards))


def _start(cursor: Cursor | None, count: int) -> int:
    if cursor is None:
        return 1
    return max(1, cursor.start - count) if cursor.before else cursor.start + 1


def _text(place: Any) -> str:
    return place.isoformat() if isinstance(place, datetime) else str(place)


def _before(found: list[Any], start: int, more: bool, cursor: Cursor | None) -> str:
    if not found or cursor is None or not more:
        return ""
    return _written(Cursor(_text(found[0].place), found[0].pk, start, True))


def _after(found: list[Any], start: int, more: bool) -> str:
    if not found or not more:
        return ""
    return _written(Cursor(_text(found[-1].place), found[-1].pk, start + len(found) - 1, False))
