"""What history answers: rows, where to go on, and where they were read from."""

from typing import Any, Generic, NamedTuple, TypeVar

from .errors import HistoryError

Row = TypeVar("Row")


class Bucket(NamedTuple):
    """The aggregate of one property in one bucket; `at` is when the bucket begins, `count` how many readings it holds."""

    property: str
    at: int
    value: Any
    count: int  # type: ignore[assignment]  # it hides tuple's method of that name, which nobody needs here


class Page(NamedTuple, Generic[Row]):
    """Rows in order; `next` is the cursor for the rows behind them; `source` is raw, minute, hour or day."""

    results: list[Row]
    next: str | None
    source: str


def write_cursor(at: int, property: str) -> str:
    return f"{at}:{property}"


def read_cursor(cursor: str | None) -> tuple[int, str] | None:
    """An instant and a property; raises HistoryError."""
    if not cursor:
        return None
    at, _, property = cursor.partition(":")
    if not at.removeprefix("-").isdecimal() or not at.isascii() or len(at) > 18 or not property or "\0" in property:
        raise HistoryError("cursor", "Take it as it was given.")
    return int(at), property
