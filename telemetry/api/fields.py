"""Instants between the store (µs since 1970) and the wire."""

import datetime

from telemetry.live.wire import milliseconds

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

__all__ = ["microseconds", "milliseconds"]


def microseconds(instant: datetime.datetime) -> int:
    """An aware instant as µs since 1970."""
    return (instant - _EPOCH) // datetime.timedelta(microseconds=1)
