"""What a chart draws: one property over a window, the flags above it, and what it can be compared with."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from devices.models import Device
from devices.timestamps import to_microseconds
from iotpanel.tenants.web import tenant_page
from telemetry import events
from telemetry.charts import line
from telemetry.tiles import tiles

from .device import device_of, instant

DAY = timedelta(days=1)
POINTS = (20, 2_000)
LONGEST = timedelta(days=366 * 20)
FLAGS = 40
OTHERS = 8  # devices of a search
NAME = 256


@require_safe
@tenant_page()
def chart(request: HttpRequest, key: str) -> JsonResponse:
    """`?property=&start=&end=&points=` -> the line, or the states, as `telemetry.charts.line` gives them."""
    device = device_of(request, key)
    name = request.GET.get("property", "")
    if not name or len(name) > NAME or "\0" in name:
        raise Http404
    return JsonResponse(line(device, name, *_window(request), _points(request)))


@require_safe
@tenant_page()
def flags(request: HttpRequest, key: str) -> JsonResponse:
    """`?start=&end=` -> the newest events in that time: `{"events": [{"at": ms, "name"}]}`."""
    device = device_of(request, key)
    start, end = _window(request)
    found = events.read(device.pk, start=to_microseconds(start), end=to_microseconds(end), limit=FLAGS)
    return JsonResponse({"events": [{"at": event.at.timestamp() * 1000, "name": event.name} for event in found]})


@require_safe
@tenant_page()
def compare(request: HttpRequest, key: str) -> JsonResponse:
    """`?property=&q=` -> `{"choices": [{"id": "device:property", "label", "note"}]}` of the same kind, this device's first."""
    device = device_of(request, key)
    query = request.GET.get("q", "").replace("\0", "")[:NAME]
    own = tiles(device)
    states = any(tile.prop.key == request.GET.get("property") and tile.kind != "number" for tile in own)
    shown = [choice for tile in own if (choice := _choice(device, tile, states)) and query.casefold() in choice["label"].casefold()]
    others = [choice for other in _others(request, device, query) for tile in tiles(other) if (choice := _choice(other, tile, states))]
    return JsonResponse({"choices": [*shown, *others][:100]})


def _choice(device: Device, tile: Any, states: bool) -> dict[str, str] | None:
    """A tile as something to compare with; None where it is of another kind or never came."""
    if tile.at is None or (tile.kind != "number") is not states:
        return None
    prop = tile.prop
    return {"id": f"{device.key}:{prop.key}", "label": f"{device.name} · {prop.name}", "note": prop.unit or prop.key}


def _others(request: HttpRequest, device: Device, query: str) -> list[Device]:
    """Other devices of the tenant: those that the search names, else those of the same product."""
    found = Device.objects.for_tenant(device.tenant).exclude(pk=device.pk).select_related("product")
    match = Q(key__icontains=query) | Q(name__icontains=query) if query else Q(product=device.product_id)
    return list(found.filter(match).order_by("key")[:OTHERS])


def _points(request: HttpRequest) -> int:
    text = request.GET.get("points", "")
    wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 360
    return min(max(wanted, POINTS[0]), POINTS[1])


def _window(request: HttpRequest) -> tuple[Any, Any]:
    """`[start, end)`; the last day where nothing sensible is asked for."""
    now = timezone.now()
    end = instant(request.GET.get("end"), now)
    start = instant(request.GET.get("start"), end - DAY)
    return (max(start, end - LONGEST), end) if start < end else (end - DAY, end)
