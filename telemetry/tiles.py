"""What a device says now: one tile for each property, with its value, its age and its rhythm."""

from datetime import datetime
from typing import Any, NamedTuple

from devices.models import Device, Product
from devices.thing_model import Property, ThingModel
from devices.thing_model_parser import parse_or_empty
from telemetry import latest, rhythm

MOST = 300  # tiles on a page; a device may have a thousand properties


class Tile(NamedTuple):
    """One property as it is shown. `at` is in ms since 1970, `period` in seconds; both None where unknown."""

    prop: Property
    value: Any
    at: float | None
    period: float | None
    known: bool

    @property
    def kind(self) -> str:
        return self.prop.type


def model_of(product: Product) -> ThingModel:
    """The product's thing model; empty where what is stored can't be read any more."""
    return parse_or_empty(product.thing_model)


def kind_of(value: Any) -> str:
    """The type of a property that the thing model does not know, by a value of it."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "json"


def tiles(device: Device, now: datetime | None = None) -> list[Tile]:
    """The thing model's properties in their order, then those that only the device knows, by name."""
    model = model_of(device.product)
    newest = latest.read([device.pk]).get(device.pk, {})
    seen = rhythm.estimate(device.pk, now) if newest else {}
    unknown = [Property(key=name, name=name, type=kind_of(newest[name][0])) for name in sorted(newest.keys() - model.properties.keys())]
    return [_tile(prop, newest, seen, model) for prop in [*model.properties.values(), *unknown][:MOST]]


def _tile(prop: Property, newest: dict[str, tuple[Any, int]], seen: dict[str, float], model: ThingModel) -> Tile:
    value, at = newest.get(prop.key, (None, None))
    return Tile(prop, value, None if at is None else at / 1000, prop.period or seen.get(prop.key), prop.key in model.properties)


def first_chart(found: list[Tile]) -> str:
    """The property that a page shows first: the first number that came, else the first that came, else the first."""
    came = [tile for tile in found if tile.at is not None]
    for tile in [*(tile for tile in came if tile.kind == "number"), *came, *found]:
        return tile.prop.key
    return ""
