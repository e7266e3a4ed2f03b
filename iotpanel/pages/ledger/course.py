"""The ledger hour by hour, or day by day, as bars: how much came, and how much of it was refused."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from iotpanel.pages.overview.window import Window
from telemetry import ledger
from telemetry.ledger import Counts

HEIGHT = 48.0
DAYS_FROM = timedelta(days=3)  # windows that are longer go by days


class Bar(NamedTuple):
    """One step: where its parts begin and how high they are, in units of the picture."""

    at: datetime
    counts: Counts
    x: float
    width: float
    top: float
    height: float
    bad: float

    @property
    def bad_top(self) -> float:
        return round(HEIGHT - self.bad, 2)


def step_of(window: Window) -> str:
    """`hour` or `day`."""
    return "day" if window.until - window.since > DAYS_FROM else "hour"


def bars(devices: Sequence[int], window: Window) -> list[Bar]:
    """A bar for each step of the window; those without uplinks have no height."""
    by = step_of(window)
    width = timedelta(days=1) if by == "day" else timedelta(hours=1)
    found = dict(ledger.by_step(devices, since=window.since, until=window.until, by=by)) if devices else {}
    start = window.since.replace(minute=0, second=0, microsecond=0)
    at = start.replace(hour=0) if by == "day" else start
    steps = []
    while at < window.until:
        steps.append((at, found.get(at, Counts())))
        at += width
    return _drawn(steps)


def _drawn(steps: list[tuple[datetime, Counts]]) -> list[Bar]:
    highest = max((counts.received for _at, counts in steps), default=0) or 1
    each = 100 / (len(steps) or 1)
    drawn = []
    for number, (at, counts) in enumerate(steps):
        height = HEIGHT * counts.received / highest
        refused = counts.rejected + counts.dead_lettered
        bad = max(HEIGHT * refused / highest, 2.0) if refused else 0.0
        drawn.append(
            Bar(at, counts, round(number * each, 3), round(each * 0.8, 3), round(HEIGHT - height, 2), round(height, 2), round(bad, 2))
        )
    return drawn
