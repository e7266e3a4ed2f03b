"""Smooth, repeatable curves: what a quantity would be at any instant, so that history and the present fit together.

Every function is pure. `at` is in seconds since 1970, `seed` tells devices apart.
"""

import math
import time
from zlib import crc32

HOUR, DAY = 3600.0, 86_400.0


def chance(seed: str, number: int) -> float:
    """A number from 0 to below 1 that is always the same for the same arguments."""
    return crc32(f"{seed}/{number}".encode()) / 2**32


def noise(seed: str, at: float, span: float) -> float:
    """Smooth noise from -1 to 1 with a new direction every `span` seconds."""
    number, part = divmod(at / span, 1.0)
    before, after = chance(seed, int(number)), chance(seed, int(number) + 1)
    eased = part * part * (3 - 2 * part)
    return 2 * (before + (after - before) * eased) - 1


def hour_of_day(at: float) -> float:
    """The local hour, 0 to below 24."""
    return (at + time.localtime(at).tm_gmtoff) % DAY / HOUR


def daily(at: float, peak: float) -> float:
    """A wave through the day from -1 to 1, highest at the hour `peak`."""
    return math.cos((hour_of_day(at) - peak) / 24 * 2 * math.pi)


def sun(at: float) -> float:
    """How much daylight there is, 0 to 1."""
    return max(0.0, math.sin((hour_of_day(at) - 6) / 12 * math.pi)) if 6 <= hour_of_day(at) <= 18 else 0.0


def occupancy(seed: str, at: float) -> float:
    """How busy a workplace is, 0 to 1: mornings and afternoons of weekdays, less at noon, a little at weekends."""
    hour = hour_of_day(at)
    busy = max(0.0, 1 - abs(hour - 10.5) / 2.5, 1 - abs(hour - 15) / 3)
    weekend = time.localtime(at).tm_wday >= 5
    return min(1.0, max(0.0, busy * (0.15 if weekend else 1.0) + 0.1 * noise(seed + "/people", at, 900)))


def within(seed: str, at: float, every: float, length: float, share: float = 1.0) -> bool:
    """Whether an event is on that comes once in each `every` seconds, at a place of its own, for `length` seconds.

    `share` is the part of the periods that have one at all.
    """
    return elapsed(seed, at, every, length, share) is not None


def elapsed(seed: str, at: float, every: float, length: float, share: float = 1.0) -> float | None:
    """The seconds since such an event began, or None where none is on."""
    number = int(at // every)
    start = number * every + chance(seed, number) * (every - length)
    if not start <= at < start + length or chance(seed + "/share", number) >= share:
        return None
    return at - start
