"""The events of a device, a page at a time."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from devices.models import Device
from devices.timestamps import to_microseconds
from iotpanel.tenants.web import tenant_page
from telemetry import events
from telemetry.models import Event
from telemetry.tiles import model_of

from .device import device_of, instant

PAGE = 50
NAMES = 50


def event_names(device: Device) -> list[str]:
    """The names to choose from: the thing model's and those that the device used lately."""
    newest = Event.objects.filter(device_id=device.pk).order_by("-at").values_list("name", flat=True)[:500]
    return sorted({*model_of(device.product).events, *newest})[:NAMES]


def titles(device: Device) -> dict[str, str]:
    """What people call the events that the thing model knows."""
    return {key: event.name for key, event in model_of(device.product).events.items()}


def event_page(request: HttpRequest, device: Device) -> dict[str, Any]:
    """`?name=&before=` -> the newest events before an instant (ms), and where the next page begins."""
    name = request.GET.get("name", "").replace("\0", "")[:64]
    before = instant(request.GET.get("before"), timezone.now())
    end = to_microseconds(before) if request.GET.get("before") else None
    found = events.read(device.pk, end=end, name=name or None, limit=PAGE + 1)
    shown, named = found[:PAGE], titles(device)
    rows = [(event, named.get(event.name, event.name)) for event in shown]
    # Exact to the microsecond: events of one millisecond may stand on both sides of the cut.
    following = to_microseconds(shown[-1].at) / 1000 if len(found) > PAGE else None
    return {"device": device, "rows": rows, "name": name, "before": request.GET.get("before", ""), "following": following}


@require_safe
@tenant_page()
def event_rows(request: HttpRequest, key: str) -> HttpResponse:
    """The next rows of the list."""
    return render(request, "devices/detail/event_rows.html", event_page(request, device_of(request, key)))
