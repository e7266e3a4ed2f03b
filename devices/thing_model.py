"""The thing model: the typed properties, attributes, events and commands of a product.

Pure Python. Parsed and checked once when a product is saved or loaded; after that `check_values` is called
for every report, so it does one dictionary look-up and one type test per value and builds nothing.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

from .exceptions import Invalid
from .messages import Values

MAX_PROPERTIES = 1_000
MAX_NAME = 256
TYPES = ("number", "boolean", "text", "json")
CHOICES_SHOWN, CHOICE_LENGTH = 5, 24  # of the values that are allowed: a refusal stays a sentence, and fits a line of the log
_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1


class Property(NamedTuple):
    """One typed property. `period` is the expected seconds between readings, `precision` decimals for display."""

    key: str
    name: str
    type: str = "number"
    unit: str = ""
    min: float | None = None
    max: float | None = None
    enum: tuple[Any, ...] | None = None
    precision: int | None = None
    period: float | None = None
    required: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The contract's form, without what was left out."""
        kept = {name: value for name, value in self._asdict().items() if not (value is None or value == "" or value is False)}
        return {**kept, "enum": list(self.enum)} if self.enum is not None else kept


class EventType(NamedTuple):
    key: str
    name: str
    params: dict[str, Property]

    def as_dict(self) -> dict[str, Any]:
        return {"key": self.key, "name": self.name, "params": [param.as_dict() for param in self.params.values()]}


class CommandType(NamedTuple):
    """`timeout` is in seconds, `idempotent` says that sending it twice does no harm, `reply` that the device answers."""

    key: str
    name: str
    params: dict[str, Property]
    timeout: float | None = None
    idempotent: bool = False
    reply: bool = True

    def check_params(self, params: Any) -> None:
        """Raises Invalid: bad_shape, unknown_parameter, bad_value, out_of_range."""
        if not isinstance(params, dict):
            raise Invalid("bad_shape", "“params” must be an object")
        if unknown := _check(params, self.params):
            raise Invalid("unknown_parameter", f"the command has no parameter “{unknown[0][:100]}”")
        _refuse_missing(params, self.params)

    def as_dict(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"key": self.key, "name": self.name, "params": [param.as_dict() for param in self.params.values()]}
        if self.timeout is not None:
            shown["timeout"] = self.timeout
        if not self.reply:
            shown["reply"] = False
        return {**shown, "idempotent": True} if self.idempotent else shown


class ThingModel(NamedTuple):
    properties: dict[str, Property]
    attributes: dict[str, Property]
    events: dict[str, EventType]
    commands: dict[str, CommandType]

    def check_values(self, values: Values) -> list[str]:
        """Check a report against the properties; returns the names that the model does not know.

        Raises Invalid: bad_shape, too_many_properties, bad_value, out_of_range.
        """
        return _check(values, self.properties)

    def check_attributes(self, values: Values) -> list[str]:
        """The same for attributes."""
        return _check(values, self.attributes)

    def check_event(self, name: str, params: Any) -> bool:
        """Check an event's parameters; returns whether the model knows the event. Raises Invalid as above."""
        if not isinstance(params, dict):
            raise Invalid("bad_shape", "“params” must be an object")
        event = self.events.get(name)
        known = event.params if event else {}
        _check(params, known)
        _refuse_missing(params, known)
        return event is not None

    def as_dict(self) -> dict[str, Any]:
        """The contract's form."""
        return {part: [item.as_dict() for item in getattr(self, part).values()] for part in self._fields}


def _check(values: Values, known: Mapping[str, Property]) -> list[str]:
    if len(values) > MAX_PROPERTIES:
        raise Invalid("too_many_properties", f"{len(values)} properties in one report; at most {MAX_PROPERTIES}")
    unknown: list[str] = []
    for key, value in values.items():
        prop = known.get(key)
        if prop is None:
            _check_name(key)
            check_free(key, value)
            unknown.append(key)
        elif prop.type == "number":
            # What nearly every value is, decided without another call: NaN and infinities fail one of these.
            low, high = prop.min, prop.max
            if type(value) is float and low is not None and high is not None and low <= value <= high and prop.enum is None:
                continue
            _check_number(prop, value)
        elif prop.type == "json":
            check_free(key, value)
        else:
            _check_word(prop, value)
    return unknown


def _refuse_missing(params: Values, known: Mapping[str, Property]) -> None:
    for key, param in known.items():
        if param.required and key not in params:
            raise Invalid("bad_value", f"“{key}” is missing")


def _check_number(prop: Property, value: Any) -> None:
    kind = type(value)
    if kind is float:
        if not isfinite(value):
            raise Invalid("bad_value", f"“{prop.key}” is not a finite number")
    elif kind is not int:
        raise Invalid("bad_value", f"“{prop.key}” must be a number, not {_kind(value)}")
    elif not _INT_MIN <= value <= _INT_MAX:
        raise Invalid("bad_value", f"“{prop.key}” does not fit 64 bits")
    if (prop.min is not None and value < prop.min) or (prop.max is not None and value > prop.max):
        raise Invalid("out_of_range", f"“{prop.key}” is {value}{_limits(prop)}")
    if prop.enum is not None and value not in prop.enum:
        raise Invalid("out_of_range", f"“{prop.key}” is {value}, {_choices(prop.enum)}")


def _check_word(prop: Property, value: Any) -> None:
    """A boolean or a text."""
    wanted = bool if prop.type == "boolean" else str
    if type(value) is not wanted:
        raise Invalid("bad_value", f"“{prop.key}” must be a {prop.type}, not {_kind(value)}")
    if wanted is str:
        check_free(prop.key, value)
    if prop.enum is not None and value not in prop.enum:
        raise Invalid("out_of_range", f"“{prop.key}” is {_shown(value, 100)}, {_choices(prop.enum)}")


def _check_name(key: str) -> None:
    if not key or len(key) > MAX_NAME or "\x00" in key:
        raise Invalid("bad_value", f"a property's name has 1 to {MAX_NAME} characters, and no NUL among them")


def check_free(key: str, value: Any) -> None:
    """A value of any type: refuse what JSON in Python takes and PostgreSQL does not. Raises Invalid("bad_value")."""
    stack = [value]
    while stack:
        item = stack.pop()
        kind = type(item)
        if kind is str:
            if "\x00" in item:
                raise Invalid("bad_value", f"“{key}” contains a NUL character")
        elif kind is float:
            if not isfinite(item):
                raise Invalid("bad_value", f"“{key}” is not a finite number")
        elif kind is int:
            if not _INT_MIN <= item <= _INT_MAX:
                raise Invalid("bad_value", f"“{key}” does not fit 64 bits")
        elif kind is dict:
            stack.extend(item)
            stack.extend(item.values())
        elif kind is list:
            stack.extend(item)


def _kind(value: Any) -> str:
    names = {str: "text", bool: "a boolean", int: "a number", float: "a number", dict: "an object", list: "a list", type(None): "null"}
    return names.get(type(value), type(value).__name__)


def _limits(prop: Property) -> str:
    low, high = (_shown(limit, CHOICE_LENGTH) for limit in (prop.min, prop.max))
    if prop.min is not None and prop.max is not None:
        return f", outside {low} to {high}"
    return f", below {low}" if prop.min is not None else f", above {high}"


def _choices(enum: tuple[Any, ...]) -> str:
    """The first values that would have been taken, and how many more there are."""
    first = ", ".join(_shown(value, CHOICE_LENGTH) for value in enum[:CHOICES_SHOWN])
    more = len(enum) - CHOICES_SHOWN
    return f"which is none of {first}" + (f" and {more} more" if more > 0 else "")


def _shown(value: Any, length: int) -> str:
    """A value as JSON would write it, but with what cannot be printed spelled out, and cut."""
    text = value if isinstance(value, str) else str(value).lower()
    cut = text if len(text) <= length else text[:length] + "…"
    return repr(cut) if isinstance(value, str) else cut
