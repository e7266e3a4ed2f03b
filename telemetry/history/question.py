"""What is asked of every window: how buckets lie, what is made of each, and what of the empty ones."""

from typing import NamedTuple

from telemetry.stores.base import Store

from .aggregates import aggregate
from .errors import HistoryError
from .rulers import Ruler

FILLS = ("null", "previous", "linear")


class Extent(NamedTuple):
    """[start, end) as far as there is anything to say."""

    start: int
    end: int


class Question(NamedTuple):
    """The first and the last bucket hold only what lies in `extent`."""

    store: Store
    device_id: int
    ruler: Ruler
    aggregate: str | None
    fill: str | None
    extent: Extent


def check(aggregate_name: str | None, fill: str | None) -> None:
    """Raises HistoryError."""
    aggregate(aggregate_name)
    if fill is not None and fill not in FILLS:
        raise HistoryError("fill", f"One of {', '.join(FILLS)}.")
