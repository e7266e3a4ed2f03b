"""Which device a fragment is about: the tenant's own, or nobody's."""

from datetime import UTC, datetime
from typing import cast

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from devices.models import Device
from devices.topics import is_device_key
from iotpanel.tenants.web import TenantRequest

FIRST, LAST = 0, 253_402_214_400_000  # ms: 1970 and the end of the year 9999


def device_of(request: HttpRequest, key: str) -> Device:
    """The device of this key in the request's tenant, with product, gateway and presence. Raises Http404."""
    if not is_device_key(key):
        raise Http404
    mine = cast(TenantRequest, request)
    devices = Device.objects.for_user(mine.user).for_tenant(mine.tenant)
    return cast(Device, get_object_or_404(devices.select_related("product", "parent", "presence"), key=key))


def instant(text: str | None, default: datetime) -> datetime:
    """An instant in ms since 1970 out of an address; the default where it is missing or none."""
    try:
        value = float(text or "")
    except ValueError:
        return default
    if not FIRST <= value <= LAST:
        return default
    return datetime.fromtimestamp(value / 1000, UTC)
