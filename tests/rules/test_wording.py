"""A rule in words: each kind of clause, what is missing, and what is hostile."""

from typing import Any

import pytest
from django.utils import translation

from rules.wording import Known, Names, plain, sentence

NAMES = Names(
    {"temperature": Known("Temperature", "°C"), "door": Known("Door"), "level": Known("Level", "m")},
    {("product", "cold"): "Cold room", ("group", "north"): "Cold store, north", ("device", "c2"): "Cold room 2"},
)
ALARM = [{"kind": "alarm", "severity": "critical", "message": "Too warm"}]


def words(**body: Any) -> str:
    return plain(sentence({"scope": {"product": "cold"}, "actions": ALARM, **body}, NAMES))


def test_a_whole_rule_reads_as_a_sentence() -> None:
    body = {
        "scope": {"product": "cold", "group": "north"},
        "when": {"all": [{"property": "temperature", "op": ">", "value": -15}, {"property": "door", "op": "=", "value": False}]},
        "for": "5m",
        "clear": {"property": "temperature", "op": "<", "value": -16.5},
        "clear_for": "2m",
        "cooldown": "1h",
    }

    assert words(**body) == (
        "On any Cold room in Cold store, north, when Temperature is above −15 °C and Door is off for 5 minutes, "
        "raise the alarm Critical: Too warm. It clears when Temperature is below −16.5 °C for 2 minutes. "
        "At most once in 1 hour for each device."
    )


@pytest.mark.parametrize(
    ("leaf", "clause"),
    [
        ({"property": "temperature", "op": "between", "value": [2, 8]}, "Temperature is between 2 °C and 8 °C"),
        ({"property": "temperature", "op": "outside", "value": [2, 8]}, "Temperature is not between 2 °C and 8 °C"),
        ({"property": "temperature", "op": "changed"}, "Temperature changes"),
        ({"property": "level", "op": ">", "value": {"previous": True, "plus": 0.5}}, "Level is above its value before plus 0.5 m"),
        ({"property": "level", "op": ">", "value": {"property": "temperature", "times": 2}}, "Level is above 2 times Temperature"),
        ({"property": "level", "aggregate": "avg", "over": "1h", "op": ">", "value": 3}, "the average of Level over 1 hour is above 3 m"),
        ({"device": "c2", "property": "temperature", "op": "<", "value": 0}, "Temperature of Cold room 2 is below 0 °C"),
        ({"online": False}, "the device is offline"),
        ({"no_data": "2h"}, "the device says nothing for 2 hours"),
        ({"no_data": "90s", "property": "level"}, "there is no Level for 90 seconds"),
        ({"times": 3, "within": "10m", "when": {"property": "door", "op": "=", "value": True}}, "Door is on, 3 times within 10 minutes"),
        (
            {"area": {"circle": {"lat": 52.5, "lon": 13.4, "radius": 500}}, "op": "outside"},
            "the device is outside of 500 m around 52.5, 13.4",
        ),
        ({"during": {"weekdays": ["sat", "sun"], "from": "22:00", "to": "06:00"}}, "it is Saturday and Sunday from 22:00 to 06:00 (UTC)"),
        ({"not": {"online": True}}, "not (the device is online)"),
        ({"any": [{"online": True}, {"all": [{"online": True}, {"online": False}]}]}, "the device is online or (the device is online and"),
        ({"property": "door", "op": "in", "value": ["a", "b", "c", "d"]}, "Door is one of a, b, c and 1 more"),
    ],
)
def test_each_kind_of_condition_has_a_clause(leaf: dict[str, Any], clause: str) -> None:
    assert f"when {clause}" in words(when=leaf)


@pytest.mark.parametrize(
    ("trigger", "moment"),
    [
        ({"kind": "event", "name": "boot"}, "when the event boot comes"),
        ("event", "when any event comes"),
        ({"kind": "schedule", "cron": "0 8 * * *", "tz": "Europe/Berlin"}, "at the times 0 8 * * * (Europe/Berlin)"),
        ({"kind": "alarm", "changes": ["cleared"]}, "when another rule's alarm is cleared"),
        ({"kind": "command", "name": "reboot"}, "when the command reboot is refused by the device, not answered and expired"),
        ({"kind": "command", "states": ["succeeded"]}, "when any command is done"),
        ("scene", "when a person starts it"),
    ],
)
def test_moments(trigger: Any, moment: str) -> None:
    assert moment in words(trigger=trigger)
    assert f"{moment}, if Door is on" in words(trigger=trigger, when={"property": "door", "op": "=", "value": True})


def test_scopes() -> None:
    assert words(scope={"devices": ["c2", "x", "y", "z", "w"]}).startswith("On Cold room 2, x, y and 2 more,")
    assert words(scope={"labels": {"site": "north"}}).startswith("On any device labelled site: north,")
    assert words(scope={}).startswith("On any device,")


def test_each_part_knows_its_field() -> None:
    found = sentence({"when": {"all": [{"property": "door", "op": "=", "value": True}, {"online": True}]}, "actions": ALARM}, NAMES)
    fields = {part.text: part.field for part in found if part.field}

    assert fields["Door"] == "when.all.0.property"
    assert fields["on"] == "when.all.0.value"
    assert fields["online"] == "when.all.1.online"
    assert next(part.severity for part in found if part.field == "actions.0") == "critical"


def test_what_is_missing_reads_as_dots() -> None:
    assert plain(sentence({}, NAMES)) == "On any device, when …, …."


DEEP: dict[str, Any] = {}
for _ in range(200):
    DEEP = {"not": DEEP}


@pytest.mark.parametrize(
    "body",
    [
        {"scope": [], "when": {"all": [5, None, {"property": {"x": 1}, "op": [], "value": {"a": 1}}]}, "actions": [None, {"kind": []}]},
        {"for": [1], "active": 5, "clear": {"not": {"not": 3}}, "trigger": {"kind": {}}, "actions": 7},
        {"trigger": {"kind": "command", "name": {}, "states": 5}},
        {"trigger": {"kind": "alarm", "changes": {"a": 1}}, "actions": [{"kind": "shadow", "desired": [1]}]},
        {"when": DEEP, "scope": {"labels": 3, "devices": [{}]}},
        {"when": {"property": "%(what)s", "op": ">", "value": "%(value)s"}, "actions": [{"kind": "alarm", "message": "%(alarm)s"}]},
    ],
)
def test_nothing_that_a_person_writes_breaks_it(body: dict[str, Any]) -> None:
    assert plain(sentence(body, NAMES))


def test_a_name_with_places_of_its_own_stays_text() -> None:
    assert "%(value)s is above 5" in words(when={"property": "%(value)s", "op": ">", "value": 5})


def test_it_speaks_chinese() -> None:
    with translation.override("zh-hans"):
        text = words(when={"property": "temperature", "op": ">", "value": -15}, **{"for": "5m"})

        linked = words(trigger={"kind": "command", "name": "reboot"}, actions=[{"kind": "shadow", "desired": {"fan": None, "mode": "eco"}}])

    assert "Temperature" in text
    assert "when" not in text
    assert "命令 reboot 被设备拒绝、未得到回复" in linked
    assert "修改影子：fan, mode" in linked


@pytest.mark.parametrize(
    ("trigger", "said"),
    [("readings", "with each report"), ("attributes", "with each report of attributes"), ("presence", "when it comes or goes")],
)
def test_a_rule_without_a_condition_says_when_it_looks(trigger: str, said: str) -> None:
    body = {"trigger": trigger, "actions": [{"kind": "alarm", "message": "Hello"}]}
    assert plain(sentence(body, NAMES)).startswith(f"On any device, {said}, raise the alarm")
