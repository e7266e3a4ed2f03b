"""Messages as rows of a table: a message is a JSON object, and its keys are columns."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from django.utils.translation import gettext as _

from rules.outside.errors import Rejected

from .base import BATCH, Message

NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$"
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
MAX_COLUMNS = 500
Row = dict[str, Any]


class RowsForwarder:
    """What forwarders that insert rows have in common: an object a message, a connection that is kept."""

    OBJECTS = True
    EXPERIMENTAL = False
    batch = BATCH

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.connection: Any = None


def rows_of(messages: Sequence[Message]) -> list[Row]:
    """Columns and values of each message; what is no plain value is JSON text. Raises Rejected for one that is no object."""
    return [_row(message.body) for message in messages]


def _row(body: str) -> Row:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Rejected(_("This is no JSON: %(error)s") % {"error": error}) from error
    if not isinstance(found, dict) or not found or len(found) > MAX_COLUMNS:
        raise Rejected(_("This is no JSON object with columns."))
    if wrong := [name for name in found if not _COLUMN.fullmatch(name)]:
        raise Rejected(_("“%(name)s” is no name of a column.") % {"name": wrong[0][:64]})
    return {name: json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value for name, value in found.items()}


def runs(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows in order, cut where the columns change, so that each run is one statement."""
    found: list[list[Row]] = []
    for row in rows:
        if found and found[-1][0].keys() == row.keys():
            found[-1].append(row)
        else:
            found.append([row])
    return found


def insert(table: str, columns: Sequence[str], quote: Callable[[str], str], *, ignore: str = "", conflict: str = "") -> str:
    """An INSERT for one row with placeholders; names were checked, and are quoted all the same."""
    place = ".".join(quote(part) for part in table.split("."))
    names, values = ", ".join(map(quote, columns)), ", ".join(["%s"] * len(columns))
    return f"INSERT {ignore} INTO {place} ({names}) VALUES ({values}) {conflict}"  # noqa: S608 - names match NAME
