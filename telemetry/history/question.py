"""What is asked of every window: how buckets lie, what is made of each, and what of the empty ones."""

from typing import NamedTuple

from telemetry.stores.base import Store

from .aggregates import aggregate
from .errors import HistoryError
from .rulers import Ruler

FILLS = ("null", "previous", "linear")


class Question(NamedTuple):
    store: Store
    device_id: int
    ruler: Ruler
    aggregate: str | None
    fill: str | None

    def check(self) -> None:
        """Raises HistoryError."""
        aggregate(self.aggregate)
        if self.fill is not None and self.fill not in FILLS:
            raise HistoryError("fill", f"One of {', '.join(FILLS)}.")
