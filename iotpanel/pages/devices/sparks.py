"""The small lines of the device list: six hours of each device's main value, out of the minutes' rollup."""

from datetime import timedelta

from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.utils import timezone

from devices.models import Device
from iotpanel.pages.paging import PER_PAGE
from iotpanel.tenants.web import TenantRequest, tenant_page

from .rows import main_property

SPAN = timedelta(hours=6)
STEP = 600  # seconds per point
POINTS = int(SPAN.total_seconds()) // STEP
QUERY = """
    SELECT device_id, floor(extract(epoch FROM bucket - %s) / %s)::int AS slot, sum(total) / sum(numbers) AS average
    FROM telemetry_rollup_minute
    JOIN unnest(%s::bigint[], %s::text[]) AS wanted (id, name) ON device_id = wanted.id AND property = wanted.name
    WHERE bucket >= %s AND total IS NOT NULL AND numbers > 0
    GROUP BY 1, 2
"""


def lines(devices: list[Device]) -> dict[str, list[float | None]]:
    """By device key, 36 averages of ten minutes, oldest first, None where nothing came; devices without any are left out."""
    wanted = {device.pk: (device.key, prop.key) for device in devices if (prop := main_property(device.product)) and prop.type == "number"}
    start = timezone.now() - SPAN
    with connection.cursor() as cursor:
        cursor.execute(QUERY, [start, STEP, list(wanted), [prop for _key, prop in wanted.values()], start])
        found: dict[str, list[float | None]] = {}
        for device_id, slot, average in cursor.fetchall():
            found.setdefault(wanted[device_id][0], [None] * POINTS)[min(slot, POINTS - 1)] = average
    return found


@tenant_page()
def sparks(request: TenantRequest) -> HttpResponse:
    """The lines of `?device=` (repeatable); devices of other tenants are not found."""
    keys = request.GET.getlist("device")[:PER_PAGE]
    devices = Device.objects.for_tenant(request.tenant).filter(key__in=keys).select_related("product")
    return JsonResponse(lines(list(devices)))
