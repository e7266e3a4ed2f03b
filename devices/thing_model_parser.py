"""From the contract's JSON to a ThingModel, naming everything that is wrong with it at once."""

import re
from collections.abc import Callable
from math import isfinite
from typing import Any

from .thing_model import MAX_NAME, MAX_PROPERTIES, TYPES, CommandType, EventType, Property, ThingModel

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_PARTS = ("properties", "attributes", "events", "commands")
_PROPERTY_FIELDS = frozenset(Property._fields)
Problems = list[tuple[str, str]]


class ThingModelError(ValueError):
    """What is wrong, as (path, message) pairs, such as ("properties[2].unit", "must be text")."""

    def __init__(self, problems: Problems) -> None:
        super().__init__("; ".join(f"{path}: {message}" for path, message in problems))
        self.problems = problems


def parse(data: Any) -> ThingModel:
    """The thing model that `data` (the contract's object) describes. Raises ThingModelError."""
    problems: Problems = []
    if not isinstance(data, dict):
        raise ThingModelError([("", "must be an object")])
    for part in sorted(set(data) - set(_PARTS)):
        problems.append((str(part), f"is not known; known are {', '.join(_PARTS)}"))
    model = ThingModel(
        properties=_keyed(data, "properties", _property, problems, any_name=True),
        attributes=_keyed(data, "attributes", _property, problems, any_name=True),
        events=_keyed(data, "events", _event, problems),
        commands=_keyed(data, "commands", _command, problems),
    )
    if problems:
        raise ThingModelError(problems)
    return model


def parse_or_empty(stored: Any) -> ThingModel:
    """A stored thing model; an empty one where it can't be read any more."""
    try:
        return parse(stored)
    except ThingModelError:
        return ThingModel({}, {}, {}, {})


def _keyed(
    data: dict[str, Any], part: str, build: Callable[..., Any], problems: Problems, *, path: str = "", any_name: bool = False
) -> dict[str, Any]:
    """The list `data[part]` as a dictionary by key."""
    where = f"{path}{part}"
    items = [] if data.get(part) is None else data[part]
    if not isinstance(items, list) or len(items) > MAX_PROPERTIES:
        problems.append((where, f"must be a list of at most {MAX_PROPERTIES}"))
        return {}
    found: dict[str, Any] = {}
    for index, item in enumerate(items):
        here = f"{where}[{index}]"
        if not isinstance(item, dict):
            problems.append((here, "must be an object"))
        elif not _good_key(item.get("key"), any_name):
            problems.append((f"{here}.key", "is missing or not a legal key"))
        elif item["key"] in found:
            problems.append((f"{here}.key", f"“{item['key']}” is there twice"))
        else:
            found[item["key"]] = build(item, here, problems)
    return found


def _good_key(key: Any, any_name: bool) -> bool:
    """Properties keep the names that makers gave them; events and commands stand in topics."""
    if not isinstance(key, str):
        return False
    return (0 < len(key) <= MAX_NAME and key.isprintable()) if any_name else _KEY.fullmatch(key) is not None


def _property(item: dict[str, Any], path: str, problems: Problems) -> Property:
    def wrong(field: str, message: str) -> None:
        problems.append((f"{path}.{field}", message))

    for field in sorted(set(map(str, item)) - _PROPERTY_FIELDS):
        wrong(field, f"is not known; known are {', '.join(Property._fields)}")
    kind = item.get("type", "number")
    if kind not in TYPES:
        wrong("type", f"must be one of {', '.join(TYPES)}")
    _check_texts(item, wrong)
    _check_limits(item, kind, wrong)
    enum = item.get("enum")
    if enum is not None and not _good_enum(enum, kind):
        wrong("enum", f"must be a list of one or more values of type {kind}")
        enum = None
    known = {field: item[field] for field in Property._fields if item.get(field) is not None and field != "enum"}
    return Property(**{"name": item["key"], **known, "enum": tuple(enum) if enum is not None else None})


def _check_texts(item: dict[str, Any], wrong: Callable[[str, str], None]) -> None:
    for field in ("name", "unit"):
        value = item.get(field)
        if value is not None and not (isinstance(value, str) and len(value) <= 200 and "\x00" not in value):
            wrong(field, "must be text of at most 200 characters")
    if not isinstance(item.get("required") or False, bool):
        wrong("required", "must be true or false")


def _check_limits(item: dict[str, Any], kind: str, wrong: Callable[[str, str], None]) -> None:
    for field in ("min", "max", "period"):
        value = item.get(field)
        if value is not None and not _is_number(value):
            wrong(field, "must be a number")
        elif value is not None and field != "period" and kind != "number":
            wrong(field, "is for numbers only")
    low, high, period, precision = (item.get(field) for field in ("min", "max", "period", "precision"))
    if _is_number(low) and _is_number(high) and low > high:  # type: ignore[operator]
        wrong("max", "is below min")
    if _is_number(period) and period <= 0:  # type: ignore[operator]
        wrong("period", "must be above 0 seconds")
    if precision is not None and not (type(precision) is int and 0 <= precision <= 15):
        wrong("precision", "must be a whole number of decimals, 0 to 15")


def _good_enum(enum: Any, kind: str) -> bool:
    wanted: dict[str, Callable[[Any], bool]] = {
        "number": _is_number,
        "boolean": lambda value: isinstance(value, bool),
        "text": lambda value: isinstance(value, str) and "\x00" not in value,
    }
    check = wanted.get(kind)
    return check is not None and isinstance(enum, list) and 0 < len(enum) <= 1_000 and all(map(check, enum))


def _is_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and isfinite(value))


def _event(item: dict[str, Any], path: str, problems: Problems) -> EventType:
    return EventType(item["key"], _name(item, path, problems), _keyed(item, "params", _property, problems, path=f"{path}."))


def _command(item: dict[str, Any], path: str, problems: Problems) -> CommandType:
    timeout, idempotent = item.get("timeout"), item.get("idempotent") or False
    reply = True if item.get("reply") is None else item["reply"]
    if timeout is not None and not (_is_number(timeout) and timeout > 0):
        problems.append((f"{path}.timeout", "must be above 0 seconds"))
    if not isinstance(idempotent, bool):
        problems.append((f"{path}.idempotent", "must be true or false"))
    if not isinstance(reply, bool):
        problems.append((f"{path}.reply", "must be true or false"))
    params = _keyed(item, "params", _property, problems, path=f"{path}.")
    return CommandType(item["key"], _name(item, path, problems), params, timeout, bool(idempotent), bool(reply))


def _name(item: dict[str, Any], path: str, problems: Problems) -> str:
    name = item.get("name") or item["key"]
    if not isinstance(name, str) or len(name) > 200:
        problems.append((f"{path}.name", "must be text of at most 200 characters"))
        return str(item["key"])
    return name
