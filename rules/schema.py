"""The published JSON Schema of a rule. Every save validates against it, after the compiler has said what is wrong in plain words."""

from functools import lru_cache
from typing import Any, Final

import jsonschema

from .actions import ACTIONS
from .compiled import MOST_DEVICES, SCOPES
from .durations import PATTERN
from .leaves import EQUAL, LISTED, ORDERED, RANGED
from .moments import HOLIDAYS, WEEKDAYS
from .problem_words import wrong
from .problems import BadRule
from .triggers import CHANGES, COMMAND_STATES, KINDS, SEVERITIES
from .windows import AGGREGATES

SPAN: Final = {"oneOf": [{"type": "string", "pattern": PATTERN}, {"type": "number", "exclusiveMinimum": 0}]}
NAME: Final = {"type": "string", "minLength": 1, "maxLength": 256}
ZONE: Final = {"type": "string", "description": "Such as Europe/Berlin; left out: UTC."}
PLAIN: Final = {"type": ["number", "string", "boolean"]}
CONDITION: Final = {"$ref": "#/$defs/condition"}


def _object(properties: dict[str, Any], required: list[str] | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or [], "additionalProperties": False, **more}


def _left() -> dict[str, Any]:
    return {
        "property": {**NAME, "description": "Of the device itself, or of “device”."},
        "attribute": NAME,
        "param": {**NAME, "description": "Of the event."},
        "device": {**NAME, "description": "Another device's key."},
        "aggregate": {"enum": list(AGGREGATES)},
        "over": SPAN,
        "window": {"enum": ["sliding", "tumbling"], "default": "sliding"},
        "per": SPAN,
        "tz": ZONE,
    }


def _comparison() -> dict[str, Any]:
    ops = [*ORDERED, *EQUAL, *RANGED, *LISTED, "contains", "matches"]
    value = {"anyOf": [PLAIN, {"type": "array", "items": PLAIN}, {"$ref": "#/$defs/operand"}]}
    return _object({**_left(), "op": {"enum": ops}, "value": value}, ["op", "value"])


def _operand() -> dict[str, Any]:
    numbers = {"plus": {"type": "number"}, "times": {"type": "number"}}
    previous = {"previous": {"const": True, "description": "The same property's value before."}}
    return _object({"property": NAME, "attribute": NAME, "param": NAME, "device": NAME, **previous, **numbers}, minProperties=1)


def _hours() -> dict[str, Any]:
    clock = {"type": "string", "pattern": r"^\d\d:\d\d(:\d\d)?$"}
    days = {"type": "array", "items": {"type": "string", "format": "date"}, "maxItems": 400}
    weekdays = {"type": "array", "items": {"enum": list(WEEKDAYS)}, "minItems": 1}
    return _object(
        {"weekdays": weekdays, "from": clock, "to": clock, "tz": ZONE, "holidays": days, "on_holidays": {"enum": list(HOLIDAYS)}}
    )


def _area() -> dict[str, Any]:
    circle = _object({"lat": {"type": "number"}, "lon": {"type": "number"}, "radius": {"type": "number"}}, ["lat", "lon", "radius"])
    corner = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    return {"oneOf": [_object({"circle": circle}, ["circle"]), _object({"polygon": {"type": "array", "items": corner}}, ["polygon"])]}


def _conditions() -> list[dict[str, Any]]:
    some = {"type": "array", "items": CONDITION, "minItems": 1}
    position = {"property": NAME, "latitude": NAME, "longitude": NAME, "op": {"enum": ["inside", "outside"]}, "area": _area()}
    return [
        _object({"all": some}, ["all"]),
        _object({"any": some}, ["any"]),
        _object({"not": CONDITION}, ["not"]),
        _comparison(),
        _object({"property": NAME, "op": {"const": "changed"}}, ["property", "op"]),
        _object({"online": {"type": "boolean"}}, ["online"]),
        _object({"no_data": SPAN, "property": NAME}, ["no_data"]),
        _object({"times": {"type": "integer", "minimum": 1}, "within": SPAN, "when": CONDITION}, ["times", "within", "when"]),
        _object({"during": {"$ref": "#/$defs/hours"}}, ["during"]),
        _object(position, ["area", "op"]),
        _object({"lua": {"type": "string", "description": "An expression, or statements that return true or false."}}, ["lua"]),
    ]


def _trigger() -> dict[str, Any]:
    some = {"type": "array", "minItems": 1}
    name = {**NAME, "description": "Of an event or a command; left out: any."}
    states = {**some, "items": {"enum": list(COMMAND_STATES)}, "description": "Of a command; left out: failed, timed_out, expired."}
    own: dict[str, Any] = {"name": name, "cron": {"type": "string"}, "tz": ZONE, "states": states}
    own |= {"changes": {**some, "items": {"enum": list(CHANGES)}}, "severities": {**some, "items": {"enum": list(SEVERITIES)}}}
    return {"oneOf": [{"enum": list(KINDS)}, _object({"kind": {"enum": list(KINDS)}, **own}, ["kind"])]}


def _scope() -> dict[str, Any]:
    devices = {"type": "array", "items": NAME, "minItems": 1, "maxItems": MOST_DEVICES}
    labels = {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1}
    assert set(SCOPES) == {"product", "group", "devices", "labels"}
    return _object({"product": NAME, "group": NAME, "devices": devices, "labels": labels}, minProperties=1)


def _actions() -> list[dict[str, Any]]:
    return [_action(kind, dict(ACTIONS[kind].SETTINGS)) for kind in sorted(ACTIONS)]


def _action(kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    changes = {"type": "array", "items": {"enum": ["raised", "cleared", "repeated", "escalated"]}}
    properties = {"kind": {"const": kind}, "on": changes, **settings.get("properties", {})}
    return {**settings, "type": "object", "properties": properties, "required": ["kind", *settings.get("required", [])]}


@lru_cache(maxsize=1)
def rule_schema() -> dict[str, Any]:
    """The schema of a rule as it is written over REST."""
    fields = {
        "name": {"type": "string", "minLength": 1, "maxLength": 200},
        "enabled": {"type": "boolean", "default": True},
        "description": {"type": "string", "maxLength": 2_000},
        "scope": _scope(),
        "trigger": _trigger(),
        "when": CONDITION,
        "for": {**SPAN, "description": "How long it has to be so."},
        "clear": {**CONDITION, "description": "When it is over; left out: when `when` is no longer so."},
        "clear_for": {**SPAN, "description": "How long it has to be over."},
        "cooldown": {**SPAN, "description": "The least time between two firings for a device."},
        "active": {"$ref": "#/$defs/hours", "description": "When the rule is effective."},
        "repeat": {"enum": ["change", "every"], "default": "change"},
        "lateness": {**SPAN, "description": "How much older than the newest report one may be; 5m where it is left out."},
        "actions": {"type": "array", "items": {"$ref": "#/$defs/action"}, "minItems": 1, "maxItems": 20},
    }
    definitions = {"condition": {"anyOf": _conditions()}, "operand": _operand(), "hours": _hours(), "action": {"oneOf": _actions()}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rule",
        **_object(fields, ["name", "scope", "actions"]),
        "$defs": definitions,
    }


@lru_cache(maxsize=1)
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(rule_schema())


def check_schema(body: dict[str, Any]) -> None:
    """Raises BadRule where a body does not fit the schema."""
    found = wrong(jsonschema.exceptions.best_match(_validator().iter_errors({"name": "-", **body})))
    if found is not None:
        raise BadRule(".".join(map(str, found.path)) or "body", found.words)
