"""Where a device says that it is: the newest of its values that is a place on Earth."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from .tiles import Tile

# As devices and their decoders call them, also as fields of one JSON property.
PAIRS = (("lat", "lon"), ("lat", "lng"), ("lat", "long"), ("latitude", "longitude"))


class Place(NamedTuple):
    """Degrees, WGS 84, and when the device was there."""

    latitude: float
    longitude: float
    at: datetime


def reported(tiles: Sequence[Tile]) -> Place | None:
    """The newest place among a device's values: one JSON property with both degrees, or two numbers; None where it says none."""
    return max(_places(tiles), key=lambda place: place.at, default=None)


def _places(tiles: Sequence[Tile]) -> Iterator[Place]:
    numbers: dict[str, Tile] = {}
    for tile in tiles:
        if tile.at is None:
            continue
        if isinstance(tile.value, dict):
            yield from _place(tile.value, tile.at)
        else:
            numbers[tile.prop.key] = tile
    # Each half has an age of its own; the place is as old as the older one.
    for pair in PAIRS:
        halves = [numbers[name] for name in pair if name in numbers]
        if len(halves) == 2:
            yield from _place({tile.prop.key: tile.value for tile in halves}, min(tile.at or 0 for tile in halves))


def _place(values: dict[str, Any], at: float) -> Iterator[Place]:
    for north, east in PAIRS:
        latitude, longitude = values.get(north), values.get(east)
        if _degrees(latitude, 90) and _degrees(longitude, 180):
            yield Place(latitude, longitude, datetime.fromtimestamp(at / 1000, UTC))  # type: ignore[arg-type]
            return


def _degrees(value: Any, most: int) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most
