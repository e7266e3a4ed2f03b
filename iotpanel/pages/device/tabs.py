"""The tabs that show."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from devices.models import Device
from iotpanel.tenants.web import tenant_page
from rules.models import Alarm
from telemetry import events, ledger, places, usage
from telemetry.models.attribute import Scope
from telemetry.tiles import first_chart, tiles
from telemetry.views.attributes import scopes
from telemetry.views.device import device_of
from telemetry.views.events import event_names, event_page, titles
from telemetry.views.letters import letter_page

from .frame import around

DAY = timedelta(days=1)
RECENT = 5
CHILDREN = 12
ALARMS = 3


@require_safe
@tenant_page()
def now(request: HttpRequest, key: str) -> HttpResponse:
    """Live values, the chart, and who the device is."""
    device = device_of(request, key)
    found = tiles(device)
    named = titles(device)
    context = around(request, device, "device") | {
        "tiles": found,
        "place": places.reported(found),
        "property": request.GET.get("property") or first_chart(found),
        "heard": any(tile.at is not None for tile in found),
        "groups": list(device.groups.all()),
        "reported": dict(scopes(device))[Scope.REPORTED],
        "alarms": Alarm.objects.for_tenant(device.tenant).open().filter(device=device)[:ALARMS],
        "recent": [(event, named.get(event.name, event.name)) for event in events.read(device.pk, limit=RECENT)],
        **_children(device),
        **_ledger(device),
    }
    return render(request, "devices/detail/now.html", context)


def _children(device: Device) -> dict[str, Any]:
    children = device.children.select_related("presence").order_by("key")
    return {"children": list(children[:CHILDREN]), "children_count": children.count()}


def _ledger(device: Device) -> dict[str, Any]:
    """The messages of the last 24 hours by their fate, and whether they add up."""
    until = timezone.now()
    counts = ledger.by_device([device.pk], since=until - DAY, until=until).get(device.pk, ledger.Counts())
    missing = counts.received - counts.stored - counts.duplicate - counts.rejected - counts.dead_lettered
    return {"counts": counts, "missing": missing, "usage": usage.of_device(device, until)}


@require_safe
@tenant_page()
def event_list(request: HttpRequest, key: str) -> HttpResponse:
    """What the device reported as events, newest first, by name where one is chosen."""
    device = device_of(request, key)
    context = around(request, device, "device-tab-events") | event_page(request, device) | {"names": event_names(device)}
    return render(request, "devices/detail/events.html", context)


@require_safe
@tenant_page()
def frames(request: HttpRequest, key: str) -> HttpResponse:
    """The messages as bytes, as they pass."""
    device = device_of(request, key)
    return render(request, "devices/detail/frames.html", around(request, device, "device-tab-frames"))


@require_safe
@tenant_page()
def letters(request: HttpRequest, key: str) -> HttpResponse:
    """What could not be accepted."""
    device = device_of(request, key)
    return render(request, "devices/detail/letters.html", around(request, device, "device-tab-letters") | letter_page(request, device))


@require_safe
@never_cache
@tenant_page()
def attributes(request: HttpRequest, key: str) -> HttpResponse:
    """What changes rarely: reported, of the server, shared."""
    device = device_of(request, key)
    return render(request, "devices/detail/attributes.html", around(request, device, "device-tab-attributes") | {"scopes": scopes(device)})
