"""The dead letters of a device: shown with their bytes, replayed after a fix."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from devices.exceptions import Unavailable
from devices.models import Device
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest, tenant_page
from telemetry.models import DeadLetterRecord
from telemetry.models.dead_letter import DeadLetterSet
from telemetry.uplink.replay import replay
from telemetry.uplink.replay_runs import replay_all

from .device import device_of

PAGE = 50


def letters_of(device: Device) -> DeadLetterSet:
    """Those that wait for a replay, newest first."""
    found: DeadLetterSet = DeadLetterRecord.objects.for_tenant(device.tenant).filter(device=device)
    return found.open()


def letter_page(request: HttpRequest, device: Device) -> dict[str, Any]:
    """`?page=` -> one page of them."""
    page = Paginator(letters_of(device), PAGE).get_page(request.GET.get("page"))
    return {"device": device, "page": page, "letters": page.object_list}


@require_POST
@tenant_page(Role.OPERATOR)
def replay_letters(request: TenantRequest, key: str) -> HttpResponse:
    """`letter=<id>` or `all` -> the list anew, with how many were accepted. Replays only this device's."""
    device = device_of(request, key)
    if "all" in request.POST:
        result = replay_all(letters_of(device), tenant=device.tenant, started_by=request.user).as_dict()
    else:
        result = _replay_one(letters_of(device), request.POST.get("letter", ""))
    return render(request, "devices/detail/letter_list.html", letter_page(request, device) | {"result": result})


def _replay_one(letters: DeadLetterSet, wanted: str) -> dict[str, Any]:
    chosen = letters.filter(pk=int(wanted)) if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 else letters.none()
    if not chosen.exists():
        raise Http404
    try:
        replayed, failed = replay(chosen)
    except Unavailable:
        return {"unavailable": True}
    return {"replayed": replayed, "failed": failed}
