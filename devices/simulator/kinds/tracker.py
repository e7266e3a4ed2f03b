"""An asset tracker that drives a loop through a harbour town and rests between its trips."""

import math
from functools import cache

from .base import Message, Simulated, Values, event

ROUTE = (  # degrees of latitude and longitude
    (53.5413, 9.9841), (53.5448, 9.9712), (53.5459, 9.9519), (53.5436, 9.9296), (53.5479, 9.9073),
    (53.5561, 9.9134), (53.5608, 9.9357), (53.5632, 9.9633), (53.5587, 9.9872), (53.5524, 10.0061),
    (53.5466, 10.0123), (53.5431, 9.9999),
)  # fmt: skip
DRIVE, REST = 1_500.0, 900.0
KILOMETRES_PER_DEGREE = 111.2


class Tracker(Simulated):
    product = "asset-tracker"
    every = 1
    model = "AT-7"

    def __init__(self, key: str, number: int) -> None:
        super().__init__(key, number)
        self.driving: bool | None = None

    def values(self, at: float) -> Values:
        trips, part = divmod(at + self.number * 700, DRIVE + REST)
        driving = part < DRIVE
        done = 0.5 - 0.5 * math.cos(math.pi * part / DRIVE) if driving else 1.0  # slow at both ends
        latitude, longitude, heading = along(done)
        speed = length() * math.pi / 2 / DRIVE * math.sin(math.pi * part / DRIVE) * 3600 if driving else 0.0
        return {
            "location": {"lat": round(latitude, 6), "lon": round(longitude, 6)},
            "speed": round(max(0.0, speed * (1 + 0.1 * self.wobble("traffic", at, 45))), 1),
            "heading": round(heading) % 360,
            "odometer": round((trips + done) * length() % 500_000, 2),
            "ignition": driving,
            "battery": round((13.8 if driving else 12.5) + 0.1 * self.wobble("battery", at, 300), 2),
        }

    def messages(self, at: float) -> list[Message]:
        values = self.values(at)
        sent = super().messages(at)
        if self.driving is not None and values["ignition"] != self.driving:
            ended = not values["ignition"]
            sent.append(event("trip", state="ended", distance=round(length(), 1)) if ended else event("trip", state="started"))
        self.driving = values["ignition"]
        return sent


@cache
def length() -> float:
    """Of the whole loop, in kilometres."""
    return sum(_legs())


def along(part: float) -> tuple[float, float, float]:
    """Latitude, longitude and heading (degrees) at a part (0 to 1) of the loop."""
    index, share = _place(part % 1.0 * length())
    (south, west), (north, east) = ROUTE[index], ROUTE[(index + 1) % len(ROUTE)]
    heading = math.degrees(math.atan2((east - west) * _squeeze(south), north - south)) % 360
    return south + (north - south) * share, west + (east - west) * share, heading


def _place(kilometres: float) -> tuple[int, float]:
    """The leg at this distance from the start, and the part of it that is done."""
    for index, leg in enumerate(_legs()):
        if kilometres <= leg:
            return index, kilometres / leg
        kilometres -= leg
    return len(ROUTE) - 1, 1.0  # what rounding leaves over


@cache
def _legs() -> tuple[float, ...]:
    pairs = zip(ROUTE, (*ROUTE[1:], ROUTE[0]), strict=True)
    return tuple(
        math.hypot(north - south, (east - west) * _squeeze(south)) * KILOMETRES_PER_DEGREE for (south, west), (north, east) in pairs
    )


def _squeeze(latitude: float) -> float:
    return math.cos(math.radians(latitude))
