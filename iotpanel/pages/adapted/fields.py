"""An adapter's settings as form fields, and what was sent as settings: by the JSON Schema that the adapter owns."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

PREFIX = "s."
DROP = "drop."
LONG = 2_000  # characters: a text that may be longer is edited over several lines
Schema = Mapping[str, Any]


class Field(NamedTuple):
    """One setting. `kind` says how it is edited; of a secret `value` is empty always, and `known` whether one is set."""

    name: str
    label: str
    kind: str
    value: Any = ""
    required: bool = False
    known: bool = False
    options: tuple[tuple[str, str], ...] = ()
    low: Any = ""
    high: Any = ""
    default: Any = ""
    error: str = ""


def fields(
    schema: Schema, settings: Mapping[str, Any], secrets: list[str], *, sent: Mapping[str, str] | None = None, problems: Mapping[str, str]
) -> list[Field]:
    """The fields in the schema's order. `sent` is what a person typed, which stands again where it was refused."""
    required = set(schema.get("required", ()))
    found = []
    for name, spec in schema["properties"].items():
        kind = kind_of(spec)
        value = "" if kind == "secret" else _shown(spec, kind, name, settings, sent)
        found.append(
            Field(
                name,
                _(spec.get("title", name)),
                kind,
                value,
                name in required,
                name in secrets,
                _options(spec),
                spec.get("minimum", ""),
                spec.get("maximum", ""),
                spec.get("default", "") if kind in ("text", "template", "number") else "",
                _problem(name, problems),
            )
        )
    return found


def kind_of(spec: Mapping[str, Any]) -> str:
    """How a setting is edited."""
    if spec.get("writeOnly"):
        return "secret"
    if "enum" in spec:
        return "choice"
    if spec.get("format") == "template":
        return "template"
    if "enum" in spec.get("items", {}):
        return "choices"
    plain = {"boolean": "check", "integer": "number", "number": "number", "array": "list", "object": "map"}
    return plain.get(str(spec.get("type"))) or ("lines" if spec.get("maxLength", 0) > LONG else "text")


def _options(spec: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What there is to choose from; `x-labels` says how people call it."""
    of = spec.get("items", spec)
    return tuple((str(each), _(of["x-labels"][each]) if "x-labels" in of else str(each)) for each in of.get("enum", ()))


def _problem(name: str, problems: Mapping[str, str]) -> str:
    path = f"settings.{name}"
    return " ".join(text for field, text in problems.items() if field == path or field.startswith(f"{path}."))


def _shown(spec: Mapping[str, Any], kind: str, name: str, settings: Mapping[str, Any], sent: Mapping[str, str] | None) -> Any:
    if kind == "choices":
        return _ticked(spec, name, sent) if sent is not None else settings.get(name, [])
    if sent is not None:
        return PREFIX + name in sent if kind == "check" else sent.get(PREFIX + name, "")
    value = settings.get(name, spec.get("default", "") if kind in ("check", "choice") else "")
    if kind == "list":
        return "\n".join(map(str, value)) if isinstance(value, list) else ""
    if kind == "map":
        return "\n".join(f"{key}: {each}" for key, each in value.items()) if isinstance(value, dict) else ""
    return bool(value) if kind == "check" else str(value)


def _ticked(spec: Mapping[str, Any], name: str, sent: Mapping[str, str]) -> list[Any]:
    return [each for each in spec["items"]["enum"] if f"{PREFIX}{name}.{each}" in sent]


def read(schema: Schema, sent: Mapping[str, str]) -> dict[str, Any]:
    """The settings that a form sent. What is left empty is left out; a secret that is to go away is None."""
    found: dict[str, Any] = {}
    for name, spec in schema["properties"].items():
        kind, text = kind_of(spec), sent.get(PREFIX + name, "")
        if kind == "check":
            found[name] = PREFIX + name in sent
        elif kind == "choices":
            found |= {name: ticked} if (ticked := _ticked(spec, name, sent)) else {}
        elif kind == "secret" and not text and DROP + name in sent:
            found[name] = None
        elif text.strip():
            found[name] = _read(kind, spec, text)
    return found


def _read(kind: str, spec: Mapping[str, Any], text: str) -> Any:
    if kind == "choice":
        return next((each for each in spec["enum"] if str(each) == text), text)
    if kind == "number":
        return int(text) if text.strip().removeprefix("-").isdecimal() and len(text) < 20 else text
    if kind == "list":
        return [part.strip() for part in text.replace(",", "\n").split("\n") if part.strip()]
    if kind == "map":
        return pairs(text)
    return text if kind in ("secret", "lines", "template") else text.strip()


def pairs(text: str) -> dict[str, str]:
    """Lines of `name: value` as an object."""
    lines = [line.partition(":") for line in text.splitlines() if line.strip()]
    return {name.strip(): value.strip() for name, _colon, value in lines}
