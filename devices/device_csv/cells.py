"""One cell: how each column is written, and how it is read again."""

import json
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from devices.models import Device, Group

COLUMNS = ("key", "name", "product", "parent", "groups", "labels", "latitude", "longitude", "enabled")
_TEXTS = frozenset(COLUMNS) - {"latitude", "longitude", "enabled"}
# What a spreadsheet takes for a formula where a cell begins with it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_YES = frozenset({"true", "yes", "1", "on"})
_NO = frozenset({"false", "no", "0", "off"})


def row_of(device: Device, groups: Iterable[Group] | None = None) -> dict[str, str]:
    """The device's row, with these groups where they are given; what it refers to has to be loaded."""
    cells = {
        "key": device.key,
        "name": device.name,
        "product": device.product.key,
        "parent": device.parent.key if device.parent else "",
        "groups": "; ".join(sorted(group.key for group in (device.groups.all() if groups is None else groups))),
        "labels": write_labels(device.labels),
        "latitude": "" if device.latitude is None else repr(device.latitude),
        "longitude": "" if device.longitude is None else repr(device.longitude),
        "enabled": "true" if device.enabled else "false",
    }
    return {column: neutral(text) if column in _TEXTS else text for column, text in cells.items()}


def neutral(text: str) -> str:
    """The text with a quote before it where a spreadsheet would run it as a formula."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def plain(cell: str) -> str:
    """What `neutral` was given; blanks around a cell mean nothing."""
    text = cell.strip(" ")
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULA) else text


def write_labels(labels: dict[str, str]) -> str:
    """`key=value; key=value`; as JSON where a value would break that."""
    if any(";" in value or value != value.strip() for value in labels.values()):
        return json.dumps(labels, ensure_ascii=False, sort_keys=True)
    return "; ".join(f"{key}={value}" for key, value in sorted(labels.items()))


def read_labels(text: str) -> dict[str, Any]:
    """Raises ValidationError."""
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValidationError(_("This is no valid JSON.")) from error
        return found if isinstance(found, dict) else {}
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    if wrong := [key for key, equals, _value in pairs if not equals]:
        raise ValidationError(_("“%(part)s”: write key=value, with “;” between labels."), params={"part": wrong[0].strip()[:60]})
    return {key.strip(): value.strip() for key, _equals, value in pairs}


def read_keys(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def read_degrees(text: str) -> float | None:
    """Raises ValidationError; the range is judged by the verb's check."""
    if not text:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise ValidationError(_("This is no number.")) from error


def read_flag(text: str) -> bool:
    """Empty means yes; raises ValidationError."""
    word = text.lower()
    if word and word not in _YES | _NO:
        raise ValidationError(_("Write true or false."))
    return word not in _NO
