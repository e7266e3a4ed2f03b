"""Attributes: what the device reported, and what people set on the server, to keep or to share with the device."""

from typing import Any, NamedTuple

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from devices.exceptions import Invalid
from devices.models import Device
from devices.thing_model import ThingModel
from devices.timestamps import to_datetime
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import tenant_page
from telemetry import attributes
from telemetry.models.attribute import Scope
from telemetry.tiles import model_of

from .device import device_of

KEY, VALUE = 64, 16_384  # longest
SETTABLE = (Scope.SERVER, Scope.SHARED)


class Row(NamedTuple):
    """One attribute as it is shown; `text` is its value as JSON, for the form."""

    key: str
    name: str
    unit: str
    value: Any
    precision: int | None
    at: Any
    text: str


def scopes(device: Device) -> list[tuple[Scope, list[Row]]]:
    """All attributes by scope, in the order in which people look for them."""
    model, found = model_of(device.product), attributes.read(device.pk)
    return [(scope, [_row(model, key, *entry) for key, entry in sorted(found[scope].items())]) for scope in Scope]


def _row(model: ThingModel, key: str, value: Any, at: int) -> Row:
    known = model.attributes.get(key)
    name, unit, precision = (known.name, known.unit, known.precision) if known else (key, "", None)
    return Row(key, name, unit, value, precision, to_datetime(at), orjson.dumps(value).decode())


def value_of(text: str) -> Any:
    """What a person typed: JSON where it is JSON, else the text itself. Raises ValueError with a sentence."""
    if len(text) > VALUE:
        raise ValueError(_("The value is longer than %(limit)d characters.") % {"limit": VALUE})
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = text
    try:
        ThingModel({}, {}, {}, {}).check_attributes({"value": value})
    except Invalid as error:
        raise ValueError(error.detail) from error
    return value


@require_POST
@tenant_page(Role.OPERATOR)
def set_attribute(request: HttpRequest, key: str) -> HttpResponse:
    """`scope`, `key`, `value` (left empty with `remove`: taken away) -> the lists anew, with what was wrong."""
    device = device_of(request, key)
    problem = _set(device, request.POST)
    context = {"device": device, "scopes": scopes(device), "problem": problem, "sent": request.POST if problem else {}}
    return render(request, "devices/detail/attribute_lists.html", context, status=422 if problem else 200)


def _set(device: Device, sent: Any) -> str:
    scope, name = sent.get("scope", ""), sent.get("key", "").strip()
    if scope not in SETTABLE:
        return _("Attributes can be set for the server or shared; the device reports its own.")
    if not name or len(name) > KEY or "\0" in name:
        return _("A key has 1 to %(limit)d characters.") % {"limit": KEY}
    try:
        value = None if "remove" in sent else value_of(sent.get("value", ""))
    except ValueError as error:
        return str(error)
    if value is None and "remove" not in sent:
        return _("A value of null would remove the attribute; use “Remove”.")
    attributes.set_server(device, scope=Scope(scope), values={name: value})
    return ""
