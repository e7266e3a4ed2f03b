"""The device's clock: from what a device wrote as `ts` to whole microseconds since 1970.

A number tells its own unit by its size, because fleets mix them: below 1e11 seconds, below 1e14 milliseconds,
below 1e17 microseconds, else nanoseconds. All four ranges lie between 1973 and 5138, so no real time is read twice.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from devices.exceptions import Invalid

SECOND = 1_000_000
AHEAD = 86_400 * SECOND
BACK = 3_652 * AHEAD + AHEAD // 2
MILLISECONDS_FROM = 10**11
MICROSECONDS_FROM = 10**14
NANOSECONDS_FROM = 10**17
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DETAIL_LENGTH = 60


def to_datetime(at: int) -> datetime:
    """An aware datetime in UTC of whole µs since 1970; raises OverflowError beyond the year 9999."""
    return EPOCH + timedelta(microseconds=at)


def to_microseconds(at: datetime) -> int:
    """Whole µs since 1970 of an aware datetime."""
    return (at - EPOCH) // MICROSECOND


def parse_ts(value: Any, received_at: int) -> int:
    """The instant that a device wrote, in microseconds.

    `value` is the `ts` as decoded from JSON: an int or float, or a text in ISO 8601 with zone. `received_at`
    is our clock in microseconds; more than ten years before or a day after it raises `Invalid("bad_timestamp")`,
    as does anything that is no time.
    """
    if type(value) is int and MILLISECONDS_FROM <= value < MICROSECONDS_FROM:
        at = value * 1000  # what nearly every device sends
    elif type(value) is int and MICROSECONDS_FROM <= value < NANOSECONDS_FROM:
        at = value
    elif isinstance(value, str):
        at = _from_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        at = _from_number(value)
    else:
        raise Invalid("bad_timestamp", f"a {type(value).__name__} is no time")
    if at > received_at + AHEAD:
        raise Invalid("bad_timestamp", f"{_shown(value)} is more than a day ahead")
    if at < received_at - BACK:
        raise Invalid("bad_timestamp", f"{_shown(value)} is more than ten years back")
    return at


def _from_number(value: int | float) -> int:
    """Scaled to microseconds and rounded. Doubles of this size hold every microsecond of our century."""
    size = abs(value)
    if not size < float("inf"):
        raise Invalid("bad_timestamp", "not a finite number")
    if size < MILLISECONDS_FROM:
        return round(value * SECOND)
    if size < MICROSECONDS_FROM:
        return round(value * 1000)
    if size < NANOSECONDS_FROM:
        return round(value)
    return (int(value) + 500) // 1000


def _from_text(value: str) -> int:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Invalid("bad_timestamp", f"{_shown(value)} is not ISO 8601") from None
    if moment.tzinfo is None:
        raise Invalid("bad_timestamp", f"{_shown(value)} has no time zone")
    return to_microseconds(moment)


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= DETAIL_LENGTH else text[:DETAIL_LENGTH] + "..."
