"""The Shadow tab: desired, reported, what differs; now or as it was, and every change."""

from datetime import datetime
from typing import Any, cast

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from devices.downlink import shadow
from devices.models import Device, Shadow, ShadowStep
from iotpanel.api.errors import ApiError
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest, tenant_page
from telemetry.views.device import device_of, instant

from .frame import around

STEPS = 50
LONGEST = 256 * 1024


@require_safe
@never_cache
@tenant_page()
def tab(request: HttpRequest, key: str) -> HttpResponse:
    """The whole tab."""
    device = device_of(request, key)
    context = around(request, device, "device-tab-shadow") | parts(request, device, _moment(request))
    return render(request, "devices/detail/shadow.html", context)


@require_safe
@never_cache
@tenant_page()
def body(request: HttpRequest, key: str) -> HttpResponse:
    """The parts anew."""
    device = device_of(request, key)
    return render(request, "devices/detail/shadow_parts.html", {"device": device} | parts(request, device, _moment(request)))


@require_POST
@never_cache
@tenant_page(Role.OPERATOR)
def change(request: HttpRequest, key: str) -> HttpResponse:
    """Merges what a person typed into the desired state: the parts anew, with what was wrong."""
    device = device_of(request, key)
    typed, version = request.POST.get("patch", ""), request.POST.get("version", "")
    problem = ""
    try:
        patch = orjson.loads(typed[: LONGEST + 1])
        known = int(version) if version.isascii() and version.isdigit() and len(version) < 19 else None
        shadow.patch_desired(device, patch, version=known, person=cast(TenantRequest, request).user)
    except orjson.JSONDecodeError as error:
        problem = _("This is not JSON: %(reason)s") % {"reason": error}
    except ApiError as error:
        problem = error.message
    context = {"device": device, "problem": problem, "typed": typed if problem else ""} | parts(request, device, None)
    return render(request, "devices/detail/shadow_parts.html", context, status=422 if problem else 200)


def parts(request: HttpRequest, device: Device, at: datetime | None) -> dict[str, Any]:
    """What the tab shows of the shadow as it is, or was at a moment."""
    found = shadow.read(device, at)
    row = Shadow.objects.for_tenant(device.tenant).filter(device=device).first()
    steps = ShadowStep.objects.for_tenant(device.tenant).filter(device=device).select_related("person").order_by("-version")
    return {
        "shadow": found,
        "sheets": [(name, _pretty(getattr(found, name)), bool(getattr(found, name))) for name in ("desired", "reported", "delta")],
        "shared": _pretty(found.shared) if found.shared else "",
        "at": at,
        "waits": bool(row and row.wanted) and at is None,
        "steps": [(step, round(step.at.timestamp() * 1000) + 1) for step in steps[:STEPS]],
        "may_operate": cast(TenantRequest, request).role.allows(Role.OPERATOR),
    }


def _moment(request: HttpRequest) -> datetime | None:
    return instant(request.GET["at"], timezone.now()) if request.GET.get("at") else None


def _pretty(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
