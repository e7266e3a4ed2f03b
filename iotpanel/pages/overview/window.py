"""The time window of the overview: `?range=24h`."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone


class Window(NamedTuple):
    """`step` is the chart's step in seconds."""

    key: str
    since: datetime
    until: datetime
    step: int


RANGES = {
    "1h": (timedelta(hours=1), 60),
    "24h": (timedelta(days=1), 300),
    "7d": (timedelta(days=7), 3_600),
    "30d": (timedelta(days=30), 14_400),
}


def window(asked: str) -> Window:
    """The window called so, else the last 24 hours."""
    key = asked if asked in RANGES else "24h"
    length, step = RANGES[key]
    until = timezone.now()
    return Window(key, until - length, until, step)
