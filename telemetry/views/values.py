"""The tiles of a device: as HTML when a property appears, as points for their sparklines."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from iotpanel.tenants.web import tenant_page
from telemetry.charts import spark
from telemetry.tiles import tiles

from .device import device_of

DAY = timedelta(days=1)
MOST = 60  # sparklines; each is a read of its own


@require_safe
@tenant_page()
def values(request: HttpRequest, key: str) -> HttpResponse:
    """All tiles anew."""
    device = device_of(request, key)
    return render(request, "devices/detail/tiles.html", {"device": device, "tiles": tiles(device)})


@require_safe
@tenant_page()
def sparks(request: HttpRequest, key: str) -> JsonResponse:
    """The last 24 hours of each number in a few points: `{"start", "end", "lines": {property: {"points", "bucket"}}}`."""
    device = device_of(request, key)
    end = timezone.now()
    start = end - DAY
    wanted = [tile.prop.key for tile in tiles(device) if tile.kind in ("number", "boolean") and tile.at is not None][:MOST]
    lines = {name: spark(device, name, start, end) for name in wanted}
    return JsonResponse({"start": start.timestamp() * 1000, "end": end.timestamp() * 1000, "lines": lines})
