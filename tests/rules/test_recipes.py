"""The recipes of docs/rules.md: each is saved as it stands there, and fires over a past in which it should."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from iotpanel.tenants.models import Tenant, User
from tests.make import make_device, make_product
from tests.rest import Rest
from tests.rules.make import T0, say

pytestmark = pytest.mark.django_db
DOCUMENT = (Path(__file__).parents[2] / "docs/rules.md").read_text()
RECIPES = {
    title: json.loads(text) for title, text in re.findall(r"^### (.+?)\n\n```json\n(.+?)```", DOCUMENT.split("## Recipes")[1], re.M | re.S)
}
NUMBERS = {
    "freezers": ["temperature"],
    "tanks": ["level"],
    "meters": ["energy", "voltage", "current", "power"],
    "trackers": ["latitude", "longitude"],
    "rooms": ["temperature"],
}
SWITCHES = {"doors": ["open"], "leaks": ["wet"]}
MIDNIGHT_IN_BERLIN = (-(T0 // 1_000_000) - 3_600) % 86_400 - 86_400  # seconds from T0
# What is said, at how many seconds, and whether the rule is to fire on it.
PAST: dict[str, list[tuple[str, float, dict[str, Any]]]] = {
    "A freezer is too warm for five minutes": [("freezer", 0, {"temperature": -10}), ("freezer", 400, {"temperature": -12})],
    "A tank fills too fast": [("tank", at, {"level": at / 100}) for at in (0, 200, 400)],
    "A device is silent": [("freezer", 0, {"temperature": -20})],
    "A door is open out of hours": [("door", MIDNIGHT_IN_BERLIN + at, {"open": True}) for at in (60, 180)],
    "Energy of a day over budget": [("meter", MIDNIGHT_IN_BERLIN + at, {"energy": energy}) for at, energy in ((60, 100), (900, 113))],
    "Power out of voltage and current": [("meter", 0, {"voltage": 230, "current": 2})],
    "A tracker leaves the yard": [("tracker", 0, {"latitude": 52.6, "longitude": 13.4})],
    "A door that does not stay shut": [("door", at, {"open": at % 20 == 10}) for at in range(0, 70, 10)],
    "Warmer inside than outside": [
        ("room-2", 0, {"temperature": 18}),
        ("room-1", 1, {"temperature": 25}),
        ("room-1", 700, {"temperature": 25}),
    ],
    "Nobody reacts": [("leak", 0, {"wet": True})],
}


@pytest.fixture
def house(tenant: Tenant) -> dict[str, Any]:
    """A device of each product, by its key."""
    properties = {name: [{"key": key, "name": key, "type": "number"} for key in keys] for name, keys in NUMBERS.items()}
    properties |= {name: [{"key": key, "name": key, "type": "boolean"} for key in keys] for name, keys in SWITCHES.items()}
    products = {name: make_product(tenant, key=name, thing_model={"properties": some}) for name, some in properties.items()}
    devices = {"freezer": "freezers", "tank": "tanks", "door": "doors", "meter": "meters", "tracker": "trackers", "leak": "leaks"}
    devices |= {"room-1": "rooms", "room-2": "rooms"}
    return {key: make_device(tenant, key=key, product=products[name], labels={"place": "cellar"}) for key, name in devices.items()}


def test_there_are_ten() -> None:
    assert list(RECIPES) == list(PAST)


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_is_saved_and_fires(title: str, owner: User, house: dict[str, Any]) -> None:
    for key, seconds, values in PAST[title]:
        say(house[key], seconds, **values)
    api = Rest(owner)
    saved = api.post("rules/", RECIPES[title])
    assert saved.status_code == 201, saved.content
    span = {"start": T0 / 1000 - 172_800_000, "end": T0 / 1000 + 3_600_000}
    answer = api.post(f"rules/{saved.json()['id']}/backtest/", span)
    assert answer.status_code == 200, answer.content
    assert [firing["change"] for firing in answer.json()["firings"]].count("raised") >= 1, answer.content
