"""Settings of an adapter (a forwarder, a channel), by the JSON Schema that it owns: checked, split, sealed.

In a schema `writeOnly` marks a secret, `"format": "template"` a text in the language of templates, and `"x-address"` what
says where we connect to: an inner address is refused, and as the secrets go there, who changes it has to give them again.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator

from iotpanel.tenants.encryption import decrypt, encrypt
from iotpanel.tenants.validation import clean_json
from rules.outside.addresses import Forbidden, judge
from rules.outside.errors import Down
from rules.problem_words import wrong
from rules.template import compile_template
from rules.template_filters import TemplateError

Schema = Mapping[str, Any]
Settings = dict[str, Any]
MAX_BYTES = 100_000


def secret_names(schema: Schema) -> set[str]:
    return {name for name, each in schema["properties"].items() if each.get("writeOnly")}


def clean(schema: Schema, given: Any, *, shown: Settings, secrets: Settings, names: set[str]) -> tuple[Settings, Settings]:
    """New settings as (what may be shown, secrets). A secret that is not given stays, null takes it away.

    Raises ValidationError with `settings.<name>`.
    """
    if not isinstance(given, dict):
        raise ValidationError({"settings": _("This must be an object.")})
    hidden = secret_names(schema)
    public = {name: value for name, value in given.items() if name not in hidden}
    fresh = {name: value for name, value in given.items() if name in hidden}
    _refuse_moving(schema, public, shown, kept=set(secrets) - set(fresh))
    private = {name: value for name, value in (secrets | fresh).items() if value not in (None, "")}
    _check(schema, public | private)
    _check_addresses(schema, public | private)
    _check_templates(schema, public | private, names)
    return public, private


def _refuse_moving(schema: Schema, public: Settings, shown: Settings, kept: set[str]) -> None:
    """Secrets don't go along to another address unless they are given again: who may write them could read them that way."""
    if kept and any(public.get(name) != shown.get(name) for name in _places(schema)):
        raise ValidationError({f"settings.{sorted(kept)[0]}": _("The address has changed: give this again.")}, code="give_again")


def _places(schema: Schema) -> list[str]:
    return [name for name, each in schema["properties"].items() if each.get("x-address")]


def _check_addresses(schema: Schema, settings: Settings) -> None:
    for name in _places(schema):
        if isinstance(settings.get(name), str):
            try:
                judge(settings[name])
            except Forbidden as error:
                raise ValidationError({f"settings.{name}": str(error)}, code="not_public") from error


def _check(schema: Schema, settings: Settings) -> None:
    clean_json(settings, limit=MAX_BYTES)
    problems: dict[str, list[Any]] = {}
    for error in Draft202012Validator(dict(schema)).iter_errors(settings):
        path = ".".join(str(step) for step in error.absolute_path)
        if error.validator == "required":
            path, words = _missing(error.message), _("This is needed.")
        elif error.validator == "additionalProperties":
            words = _("There is no such setting: %(message)s.") % {"message": error.message[:200]}
        else:  # the message holds the value, which may be secret
            words = _why(schema, path, error)
        problems.setdefault(f"settings.{path}" if path else "settings", []).append(words)
    if problems:
        raise ValidationError(problems)


def _missing(message: str) -> str:
    return message.split("'")[1] if "'" in message else ""


def _why(schema: Schema, path: str, error: Any) -> str:
    if path.split(".")[0] in secret_names(schema):
        return str(_("This is not as it must be (%(rule)s).") % {"rule": f"{error.validator}: {error.validator_value}"})
    found = wrong(error)
    return found.words if found else ""


def _check_templates(schema: Schema, settings: Settings, names: set[str]) -> None:
    for name, each in schema["properties"].items():
        if each.get("format") == "template" and isinstance(settings.get(name), str):
            try:
                compile_template(settings[name], names)
            except TemplateError as error:
                raise ValidationError({f"settings.{name}": str(error)}, code="bad_template") from error


def seal(secrets: Settings, *, purpose: str) -> bytes:
    return encrypt(orjson.dumps(secrets).decode(), purpose=purpose) if secrets else b""


def unseal(sealed: bytes | memoryview, *, purpose: str) -> Settings:
    """Raises Down where the platform's secret key has changed: whoever keeps it can put it back."""
    if not sealed:
        return {}
    try:
        return dict(orjson.loads(decrypt(bytes(sealed), purpose=purpose)))
    except ValueError as error:
        raise Down(_("Its secrets cannot be read with the present secret key: enter them again.")) from error
