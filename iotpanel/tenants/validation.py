"""What every write verb checks alike: names, JSON, keys that are taken; problems named field by field."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from iotpanel.api.errors import Conflict

from .keys import validate_key

UNIQUE_VIOLATION = "23505"
JSON_BYTES = 1_000_000


class Problems:
    """Collects what is wrong with each field, so that a form or an answer can name all of it at once."""

    def __init__(self) -> None:
        self.by_field: dict[str, list[Any]] = {}

    @contextmanager
    def of(self, field: str) -> Iterator[None]:
        """Takes a ValidationError raised inside as this field's; one that names fields keeps its names."""
        try:
            yield
        except ValidationError as error:
            found = error.error_dict if hasattr(error, "error_dict") else {field: error.error_list}
            for name, errors in found.items():
                self.by_field.setdefault(name, []).extend(errors)

    def raise_any(self) -> None:
        if self.by_field:
            raise ValidationError(self.by_field)


def clean_text(value: Any, *, limit: int = 200, blank: bool = False, lines: bool = False) -> str:
    """A text of at most `limit` characters without control characters (`lines` allows tabs and line ends).

    Raises ValidationError. NUL and lone surrogates are refused because PostgreSQL can't store them.
    """
    if not isinstance(value, str):
        raise ValidationError(_("This must be a text."), code="bad_type")
    text = value.strip() if not lines else value
    if not text and not blank:
        raise ValidationError(_("This must not be empty."), code="blank")
    if len(text) > limit:
        raise ValidationError(_("At most %(limit)d characters."), code="too_long", params={"limit": limit})
    if any(_is_control(character, lines) for character in text):
        raise ValidationError(_("Control characters are not allowed."), code="bad_characters")
    return text


def _is_control(character: str, lines: bool) -> bool:
    code = ord(character)
    if lines and character in "\t\n\r":
        return False
    return code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code <= 0xDFFF


def check_key(value: Any) -> None:
    """Raises ValidationError where this is no key; a validator alone would judge the text of a None or a number."""
    if not isinstance(value, str):
        raise ValidationError(_("This must be a text."), code="bad_type")
    validate_key(value)


def clean_json(value: Any, *, limit: int = JSON_BYTES) -> Any:
    """The value itself, if it is JSON that PostgreSQL can keep and at most `limit` bytes; else raises ValidationError."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise ValidationError(_("This is no valid JSON."), code="bad_json") from error
    if "\\u0000" in text.replace("\\\\", ""):
        raise ValidationError(_("Control characters are not allowed."), code="bad_characters")
    if size > limit:
        raise ValidationError(_("At most %(limit)d bytes."), code="too_large", params={"limit": limit})
    return value


def clean_integer(value: Any, *, low: int, high: int) -> int:
    """A whole number in [low, high]; raises ValidationError."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValidationError(_("This must be a whole number."), code="bad_type")
    if not low <= value <= high:
        raise ValidationError(_("Between %(low)d and %(high)d."), code="out_of_range", params={"low": low, "high": high})
    return value


def clean_choice(value: Any, choices: type[models.TextChoices]) -> str:
    """One of the choices' values; raises ValidationError."""
    if not isinstance(value, str) or value not in choices.values:
        raise ValidationError(_("Choose one of: %(choices)s."), code="bad_choice", params={"choices": ", ".join(choices.values)})
    return str(choices(value))


def refuse_unknown(changes: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raises ValidationError for a field that the noun has not, or that no verb may change."""
    if unknown := {name: [_("This cannot be changed.")] for name in changes if name not in known}:
        raise ValidationError(unknown)


def refuse_new_key(current: str, changes: dict[str, Any]) -> None:
    """Takes `key` out of the changes; raises ValidationError where it differs: topics, links and files hold it."""
    if changes.pop("key", current) != current:
        raise ValidationError({"key": _("A key is for good: topics, links and files contain it.")}, code="fixed")


def save_new(instance: models.Model) -> None:
    """Inserts; raises Conflict `key_taken` where a unique key is taken (also by a race)."""
    try:
        with transaction.atomic():
            instance.save(force_insert=True)
    except IntegrityError as error:
        if getattr(error.__cause__, "sqlstate", "") != UNIQUE_VIOLATION:
            raise
        raise Conflict("key_taken", _("This key is taken.")) from error
