"""What a time-series store is: reports in, raw readings and summaries out. Instants are µs since 1970."""

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol

from devices.exceptions import Invalid
from devices.messages import Report


class Written(Enum):
    """What became of a report: it changed something, or all of it was there already."""

    STORED = "stored"
    DUPLICATE = "duplicate"


Verdict = Written | Invalid


class Reading(NamedTuple):
    """One value of one property at one time."""

    property: str
    at: int
    value: Any


class Summary(NamedTuple):
    """The readings of one property in one bucket. `numbers` counts those that `total`, `low` and `high` cover:
    numbers, and booleans as 0 and 1; the three are None where there are none.
    """

    count: int  # type: ignore[assignment]  # it hides tuple's method of that name, which nobody needs here
    numbers: int
    total: float | None
    low: float | None
    high: float | None
    first: Any
    first_at: int
    last: Any
    last_at: int


class Summaries(NamedTuple):
    """Summaries by the index of their bucket, and the coarsest source they were read from."""

    by_bucket: dict[int, Summary]
    source: str


class Store(Protocol):
    in_tables: bool  # whether readings are rows of `telemetry_report`, so that one statement may write them with what belongs to them

    def write(self, reports: Sequence[Report]) -> list[Verdict]:
        """Write a batch in the caller's transaction; one verdict per report, in order.

        Reports of one instant merge in their order, the later winning. Raises Unavailable where nothing can be
        written now; a report that can never be written is Invalid("store_refused") and costs no other.
        """
        ...

    def readings(
        self, device_id: int, properties: Sequence[str], start: int, end: int, newest_first: bool, limit: int, after: tuple[int, str] | None
    ) -> list[Reading]:
        """Raw readings in [start, end) by time and then property, of all properties where none is named.

        `after` continues behind a reading that was given before.
        """
        ...

    def summaries(self, device_id: int, property: str, edges: Sequence[int]) -> Summaries:
        """The buckets [edges[0], edges[1]), [edges[1], edges[2]) ... that hold readings."""
        ...

    def neighbour(self, device_id: int, property: str, instant: int, before: bool) -> Reading | None:
        """The newest reading before an instant, or the oldest at it or after."""
        ...
