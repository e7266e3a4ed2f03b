"""Instants as whole microseconds since 1970, and as the aware datetimes of models."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_datetime(at: int) -> datetime:
    """An aware datetime in UTC; raises OverflowError beyond the year 9999."""
    return _EPOCH + timedelta(microseconds=at)


def to_microseconds(at: datetime) -> int:
    """Whole µs since 1970 of an aware datetime."""
    return (at - _EPOCH) // _MICROSECOND
