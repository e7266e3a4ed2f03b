"""Which of a device's newest values say where it is."""

from typing import Any

import pytest

from devices.thing_model import Property
from telemetry import places
from telemetry.tiles import Tile, kind_of

MINUTE = 60_000


def tile(name: str, value: Any, at: float | None = MINUTE) -> Tile:
    return Tile(Property(key=name, name=name, type=kind_of(value)), value, at, None, True)


def found(*tiles: Tile) -> tuple[float, float, float] | None:
    place = places.reported(tiles)
    return place and (place.latitude, place.longitude, place.at.timestamp() * 1000)


@pytest.mark.parametrize("names", places.PAIRS)
def test_one_property_may_hold_both_degrees(names: tuple[str, str]) -> None:
    assert found(tile("speed", 3), tile("position", {names[0]: 53.5, names[1]: -9, "accuracy": 4})) == (53.5, -9, MINUTE)


@pytest.mark.parametrize("names", places.PAIRS)
def test_two_numbers_are_as_old_as_the_older_one(names: tuple[str, str]) -> None:
    assert found(tile(names[0], 0, at=2 * MINUTE), tile(names[1], 0.0)) == (0, 0, MINUTE)


def test_the_newest_of_several_counts() -> None:
    cell, gps = tile("cell", {"lat": 1, "lon": 1}), tile("gps", {"lat": 2, "lon": 2}, at=2 * MINUTE)
    assert found(cell, gps) == found(gps, cell) == (2, 2, 2 * MINUTE)


NO_PLACES: list[Any] = [{"lat": 91, "lon": 0}, {"lat": 0, "lon": -180.1}, {"lat": "53", "lon": "9"}, {"lat": True, "lon": False}]


@pytest.mark.parametrize("value", [*NO_PLACES, {"lat": 1}, {}, [53, 9], "53,9", None])
def test_what_is_no_place_on_earth_is_none(value: Any) -> None:
    assert found(tile("location", value)) is None


def test_halves_alone_or_never_heard_are_none() -> None:
    assert found(tile("lat", 5)) is None
    assert found(tile("lat", 5), tile("lon", 5, at=None)) is None
    assert found() is None
