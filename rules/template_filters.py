"""The filters of the template language: each a plain function of a JSON value and constants."""

import datetime
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

MAX_DIGITS = 15


class TemplateError(ValueError):
    """A template, or a value in it, that makes no text; the message says which."""


class Raw(str):
    """Text that is JSON already."""


def as_text(value: Any) -> str:
    """How a value stands in a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TemplateError(f"{as_text(value)[:40] or 'nothing'} is no number")
    return value


def _round(value: Any, digits: Any = 0) -> Any:
    if value is None:
        return None
    if not isinstance(digits, int) or abs(digits) > MAX_DIGITS:
        raise TemplateError(f"round takes at most {MAX_DIGITS} digits")
    return round(_number(value), digits) if digits > 0 else int(round(_number(value), digits))


def _default(value: Any, instead: Any) -> Any:
    return instead if value is None or value == "" else value


def _truncate(value: Any, length: Any) -> str:
    if not isinstance(length, int) or length < 1:
        raise TemplateError("truncate takes a number of characters")
    text = as_text(value)
    return text if len(text) <= length else text[: length - 1] + "…"


def _iso(value: Any) -> Any:
    """Milliseconds since 1970 as ISO 8601."""
    if value is None:
        return None
    try:
        return datetime.datetime.fromtimestamp(_number(value) / 1000, datetime.UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError) as error:
        raise TemplateError(f"{value} is no time in milliseconds") from error


def _multiplied(value: Any, factor: Any) -> Any:
    return None if value is None else _number(value) * _number(factor)


def _plus(value: Any, number: Any) -> Any:
    return None if value is None else _number(value) + _number(number)


def _joined(value: Any, between: Any = ", ") -> str:
    if not isinstance(value, list | tuple):
        raise TemplateError("join takes a list")
    return as_text(between).join(as_text(each) for each in value)


def _pairs(value: Any) -> str:
    """An object as people read it: `temperature: 21.5, door: open`."""
    return ", ".join(f"{name}: {as_text(each)}" for name, each in value.items()) if isinstance(value, Mapping) else as_text(value)


def _as_json(value: Any) -> Raw:
    return Raw(json.dumps(value, ensure_ascii=False))


# Name -> the function, and how many arguments it takes at least and at most.
FILTERS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "json": (_as_json, 0, 0),
    "round": (_round, 0, 1),
    "default": (_default, 1, 1),
    "upper": (lambda value: as_text(value).upper(), 0, 0),
    "lower": (lambda value: as_text(value).lower(), 0, 0),
    "trim": (lambda value: as_text(value).strip(), 0, 0),
    "truncate": (_truncate, 1, 1),
    "replace": (lambda value, old, new: as_text(value).replace(as_text(old), as_text(new)), 2, 2),
    "url": (lambda value: quote(as_text(value), safe=""), 0, 0),
    "iso": (_iso, 0, 0),
    "times": (_multiplied, 1, 1),
    "plus": (_plus, 1, 1),
    "join": (_joined, 0, 1),
    "pairs": (_pairs, 0, 0),
    "text": (as_text, 0, 0),
}
