"""Raw frames of a device: what was recorded while somebody looked."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from devices.exceptions import Unavailable
from iotpanel.tenants.web import tenant_page
from telemetry import frames

from .device import device_of


@require_safe
@tenant_page()
def recorded(request: HttpRequest, key: str) -> JsonResponse:
    """`{"frames": [...]}`, newest first; looking keeps the recording on. 503 where it cannot be read now."""
    device = device_of(request, key)
    try:
        frames.watch(device)
        return JsonResponse({"frames": frames.newest(device)})
    except Unavailable:
        return JsonResponse({"frames": []}, status=503)
