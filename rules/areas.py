"""Places on the earth: is a position inside of a circle or a polygon. Pure Python; degrees and metres."""

from collections.abc import Callable, Mapping
from math import asin, cos, radians, sin, sqrt
from typing import Any, Final

from .problems import BadRule

EARTH: Final = 6_371_008.8  # mean radius in m
MOST_CORNERS: Final = 500
Inside = Callable[[float, float], bool]


def distance(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Metres on the great circle."""
    dlat, dlon = radians(other_lat - lat) / 2, radians(other_lon - lon) / 2
    half = sin(dlat) ** 2 + cos(radians(lat)) * cos(radians(other_lat)) * sin(dlon) ** 2
    return 2 * EARTH * asin(min(1.0, sqrt(half)))


def compile_area(spec: Any, path: str) -> Inside:
    """`{"circle": {"lat", "lon", "radius": m}}` or `{"polygon": [[lat, lon], ...]}`. Raises BadRule."""
    if isinstance(spec, Mapping) and set(spec) == {"circle"}:
        return _circle(spec["circle"], f"{path}.circle")
    if isinstance(spec, Mapping) and set(spec) == {"polygon"}:
        return _polygon(spec["polygon"], f"{path}.polygon")
    raise BadRule(path, "an object with “circle” or “polygon”")


def _circle(spec: Any, path: str) -> Inside:
    if not isinstance(spec, Mapping) or set(spec) != {"lat", "lon", "radius"}:
        raise BadRule(path, "an object with “lat”, “lon” and “radius” in metres")
    lat, lon = _position([spec["lat"], spec["lon"]], path)
    radius = spec["radius"]
    if not _is_number(radius) or not 0 < radius <= 20_100_000:
        raise BadRule(f"{path}.radius", "metres, more than zero")
    return lambda at_lat, at_lon: distance(lat, lon, at_lat, at_lon) <= radius


def _polygon(corners: Any, path: str) -> Inside:
    if not isinstance(corners, list) or not 3 <= len(corners) <= MOST_CORNERS:
        raise BadRule(path, "a list of 3 to %(most)s corners, each [lat, lon]", most=MOST_CORNERS)
    points = [_position(corner, f"{path}.{index}") for index, corner in enumerate(corners)]
    # A polygon over the 180th meridian is laid out from its first corner, so that no edge goes around the world.
    east = points[0][1]
    flat = [(lat, _near(lon, east)) for lat, lon in points]
    pairs = list(zip(flat, [*flat[1:], flat[0]], strict=True))

    def inside(lat: float, lon: float) -> bool:
        lon = _near(lon, east)
        crossings = 0
        for (lat1, lon1), (lat2, lon2) in pairs:
            if (lat1 > lat) != (lat2 > lat) and lon < lon1 + (lat - lat1) * (lon2 - lon1) / (lat2 - lat1):
                crossings += 1
        return crossings % 2 == 1

    return inside


def _near(lon: float, reference: float) -> float:
    return reference + (lon - reference + 180) % 360 - 180


def _position(pair: Any, path: str) -> tuple[float, float]:
    if not isinstance(pair, list) or len(pair) != 2 or not all(map(_is_number, pair)):
        raise BadRule(path, "latitude and longitude in degrees")
    if not (-90 <= pair[0] <= 90 and -180 <= pair[1] <= 180):
        raise BadRule(path, "a latitude from -90 to 90, a longitude from -180 to 180")
    return float(pair[0]), float(pair[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
