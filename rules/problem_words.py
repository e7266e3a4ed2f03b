"""What is wrong with a rule, in the reader's language: problems of the compiler, and of JSON Schemas."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jsonschema
from django.utils.translation import gettext as _

from .outside.urls import SAID
from .problems import BadRule

LONGEST = 300


def said(error: BadRule) -> str:
    """The problem in the language of the request."""
    text = _(error.text) if error.text else ""
    return text % error.places if error.places else text


class Wrong(NamedTuple):
    """What a schema refuses: the path from where it begins, and why."""

    path: Sequence[Any]
    words: str


def first_wrong(schema: Mapping[str, Any], value: Any) -> Wrong | None:
    """The problem that says most about a value; None where the schema takes it."""
    return wrong(jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(dict(schema)).iter_errors(value)))


def wrong(error: Any) -> Wrong | None:
    """A validator's error. What is missing, or one too many, is named by the path."""
    if error is None:
        return None
    path = list(error.absolute_path)
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        return Wrong([*path, *missing[:1]], _("This is needed."))
    if error.validator == "additionalProperties" and isinstance(error.instance, Mapping):
        known = error.schema.get("properties", {})
        strange = [str(name)[:60] for name in error.instance if name not in known]
        return Wrong([*path, *strange[:1]], _("This is not known here; known are: %(known)s.") % {"known": ", ".join(known)})
    return Wrong(path, _why(error))


def _why(error: Any) -> str:
    limit = error.validator_value
    match error.validator:
        case "type":
            return _must_be(limit)
        case "enum":
            return _("One of: %(choices)s.") % {"choices": ", ".join(map(str, limit))[:LONGEST]}
        case "minLength" | "minItems" | "minProperties":
            return _("This must not be empty.") if limit == 1 else _("At least %(limit)s.") % {"limit": limit}
        case "maxLength":
            return _("At most %(limit)d characters.") % {"limit": limit}
        case "maxItems" | "maxProperties":
            return _("At most %(limit)s entries.") % {"limit": limit}
        case "minimum":
            return _("At least %(limit)s.") % {"limit": limit}
        case "maximum":
            return _("At most %(limit)s.") % {"limit": limit}
        case "exclusiveMinimum":
            return _("More than %(limit)s.") % {"limit": limit}
        case "pattern" if limit in SAID:
            return str(SAID[limit])
        case "pattern":
            return _("This has not the right form (%(pattern)s).") % {"pattern": limit[:LONGEST]}
        case "anyOf" | "oneOf" | "const":
            return _("This has not the right form.")
    return str(error.message)[:LONGEST]


def _must_be(kinds: Any) -> str:
    names: dict[str, str] = {
        "string": _("a text"),
        "number": _("a number"),
        "integer": _("a whole number"),
        "boolean": _("true or false"),
        "object": _("an object"),
        "array": _("a list"),
    }
    wanted = [names.get(str(kind), str(kind)) for kind in (kinds if isinstance(kinds, list) else [kinds])]
    return _("This must be: %(kinds)s.") % {"kinds": " / ".join(wanted)}
