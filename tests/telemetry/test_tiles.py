"""One tile for each property: the thing model's, then those that only the device knows."""

from typing import Any

import pytest

from devices.models import Device, Product
from devices.thing_model import Property
from iotpanel.tenants.models import Tenant
from telemetry.tiles import Tile, first_chart, kind_of, model_of, tiles
from tests import make
from tests.pages.device_data import report

MODEL: dict[str, Any] = {
    "properties": [
        {"key": "b", "name": "Bee", "type": "number", "period": 60},
        {"key": "a", "name": "Ay", "type": "text"},
    ]
}


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make.make_device(tenant, product=make.make_product(tenant, thing_model=MODEL))


def test_the_thing_models_order_then_the_unknown_by_name(device: Device) -> None:
    report(device, {"zz": 1, "x": [1], "b": 2})
    found = tiles(device)
    assert [(tile.prop.key, tile.kind, tile.known) for tile in found] == [
        ("b", "number", True),
        ("a", "text", True),
        ("x", "json", False),
        ("zz", "number", False),
    ]


def test_what_never_came_has_no_time(device: Device) -> None:
    report(device, {"b": 2})
    by_key = {tile.prop.key: tile for tile in tiles(device)}
    assert by_key["b"].value == 2
    assert by_key["b"].at is not None
    assert (by_key["a"].value, by_key["a"].at) == (None, None)


def test_the_thing_models_period_wins_over_the_data(device: Device) -> None:
    for minutes in range(10):
        report(device, {"b": 1, "free": minutes}, minutes_ago=minutes / 2)
    periods = {tile.prop.key: tile.period for tile in tiles(device)}
    assert (periods["b"], periods["free"]) == (60, 30)


def test_a_model_that_cannot_be_read_is_empty(device: Device) -> None:
    Product.objects.filter(pk=device.product_id).update(thing_model={"properties": "broken"})
    device.product.refresh_from_db()
    assert model_of(device.product).properties == {}
    report(device, {"b": 2})
    assert [tile.prop.key for tile in tiles(device)] == ["b"]


@pytest.mark.parametrize(
    ("value", "kind"), [(True, "boolean"), (1, "number"), (1.5, "number"), ("x", "text"), ([], "json"), ({}, "json"), (None, "json")]
)
def test_the_kind_of_an_unknown_value(value: object, kind: str) -> None:
    assert kind_of(value) == kind


def tile(key: str, kind: str, at: float | None) -> Tile:
    return Tile(Property(key, key, kind), 1, at, None, True)


def test_the_first_chart_is_a_number_that_came() -> None:
    assert first_chart([]) == ""
    assert first_chart([tile("a", "text", None), tile("b", "number", None)]) == "a"
    assert first_chart([tile("a", "text", 1), tile("b", "number", None)]) == "a"
    assert first_chart([tile("a", "text", 1), tile("b", "number", 1)]) == "b"
