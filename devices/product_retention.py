"""How long a product's rollups are kept, as its owner wrote it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from iotpanel.tenants.validation import clean_integer, clean_text

ROLLUPS = ("minute", "hour", "day")
MAX_DAYS = 36_500
MAX_ARCHIVE_DAYS = 365
MAX_OWN = 1000


def clean_rollups(value: Any) -> dict[str, Any]:
    """Days by rollup: `{"minute": 30, "hour": 365, "day": 3650, "properties": {"energy": {"minute": 365}}}`.

    What a property leaves out is the product's, what the product leaves out the platform's. Raises ValidationError.
    """
    if not isinstance(value, dict):
        raise _bad()
    own = {} if value.get("properties") is None else value["properties"]
    if not isinstance(own, dict) or len(own) > MAX_OWN:
        raise _bad()
    cleaned: dict[str, Any] = {**_clean_ages({name: days for name, days in value.items() if name != "properties"})}
    if ages := {clean_text(name, limit=256): _clean_ages(days) for name, days in own.items()}:
        cleaned["properties"] = ages
    return cleaned


def _clean_ages(value: Any) -> dict[str, int]:
    if not isinstance(value, dict) or set(value) - set(ROLLUPS):
        raise _bad()
    return {rollup: clean_integer(days, low=1, high=MAX_DAYS) for rollup, days in value.items() if days is not None}


def _bad() -> ValidationError:
    message = _("This must be an object with days for: %(rollups)s; and for single properties below “properties”.")
    return ValidationError(message, code="bad_type", params={"rollups": ", ".join(ROLLUPS)})
