"""From a form's texts to a command: each parameter by its type; what is left empty is left out."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.utils.translation import gettext as _

from devices.downlink.refusals import refuse
from devices.models import Device
from devices.thing_model import Property
from telemetry.tiles import model_of

PREFIX = "p."
OPTIONS = ("expires_in", "timeout", "priority")
LONGEST = 64 * 1024


def order_of(device: Device, sent: Mapping[str, str]) -> dict[str, Any]:
    """The arguments of `commands.send` but the person. Raises ApiError for what is no number, no JSON."""
    name = sent.get("name", "")
    kind = model_of(device.product).commands.get(name)
    params: dict[str, Any] = {}
    for param in kind.params.values() if kind else ():
        text = sent.get(f"{PREFIX}{name}.{param.key}", "")
        if text != "":
            params[param.key] = value_of(param, text)
    options = {option: _number(option, sent[option]) for option in OPTIONS if sent.get(option, "").strip()}
    if "priority" in options:
        options["priority"] = int(options["priority"])
    return {"name": name, "params": params, **options}


def value_of(param: Property, text: str) -> Any:
    """What a person typed or chose for a parameter."""
    if param.type == "number":
        return _number(param.key, text)
    if param.type == "boolean":
        return text == "true"
    if param.type == "json":
        try:
            return orjson.loads(text[: LONGEST + 1])
        except orjson.JSONDecodeError as error:
            raise refuse("bad_value", _("“%(name)s” is not JSON.") % {"name": param.key}, "params") from error
    return text


def _number(name: str, text: str) -> float:
    plain = text.strip().replace("−", "-")
    try:
        return int(plain) if plain.lstrip("+-").isdigit() and len(plain) < 25 else float(plain)
    except ValueError as error:
        raise refuse("bad_value", _("“%(name)s” is not a number.") % {"name": name}, "params") from error
