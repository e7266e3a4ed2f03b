"""Labels: a device's `key: value` texts, for searching, rules and dashboards."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MAX_LABELS = 32
MAX_VALUE = 128
LABEL_KEY = re.compile(r"[\w][\w./-]{0,62}\Z")


def clean_labels(value: Any) -> dict[str, str]:
    """At most 32 texts of 128 characters; keys are letters of any script, digits, “_./-”. Raises ValidationError."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValidationError(_("Labels are an object of texts."), code="bad_type")
    if len(value) > MAX_LABELS:
        raise ValidationError(_("At most %(limit)d labels."), code="too_many", params={"limit": MAX_LABELS})
    return {_clean_key(key): _clean_value(key, text) for key, text in sorted(value.items(), key=lambda pair: str(pair[0]))}


def _clean_key(key: Any) -> str:
    if not isinstance(key, str) or not LABEL_KEY.match(key):
        raise ValidationError(_("“%(key)s” is no label key."), code="bad_key", params={"key": str(key)[:60]})
    return key


def _clean_value(key: str, text: Any) -> str:
    if not isinstance(text, str) or len(text) > MAX_VALUE or not text.isprintable():
        raise ValidationError(
            _("Label “%(key)s”: write a text of at most %(limit)d printable characters."),
            code="bad_value",
            params={"key": key[:60], "limit": MAX_VALUE},
        )
    return text
