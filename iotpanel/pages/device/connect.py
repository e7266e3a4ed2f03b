"""The Connect tab: address, credentials, programs to paste, a device to try them with, and a box to send by hand."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from devices import provisioning
from devices.endpoint import endpoint_of, further_doors, only_here
from devices.models import Device
from devices.snippets import message_for, sample_values, snippets
from iotpanel.api.errors import Conflict
from iotpanel.pages.trust import has_own_root
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import tenant_page
from telemetry import latest
from telemetry.tiles import model_of
from telemetry.views.device import device_of

from . import sending
from .access import access_of
from .frame import around

TEST = "-test"
GRACE = ("1", "24", "168")  # hours that the old secret may go on
LONGEST_KEY = 64


def panel(request: HttpRequest, device: Device, secret: str | None = None) -> dict[str, Any]:
    """Credentials and programs of one device; the secret only at the moment it is shown."""
    endpoint = endpoint_of(request)
    return {
        "shown": device,
        "endpoint": endpoint,
        "only_here": only_here(),
        "doors": further_doors(endpoint),
        "own_root": has_own_root(),
        "secret": secret,
        "may_overlap": not settings.BROKER_DIR,
        "credential": device.credentials.filter(revoked_at=None).first(),
        "snippets": snippets(device, endpoint, secret),
    }


@require_safe
@never_cache
@tenant_page()
def connect(request: HttpRequest, key: str) -> HttpResponse:
    """The whole tab."""
    device = device_of(request, key)
    message = message_for(device)
    context = (
        around(request, device, "device-tab-connect")
        | panel(request, device)
        | {
            "heard": device.pk in latest.read([device.pk]),
            "test_key": test_key(device),
            "kinds": sending.KINDS,
            "event_names": sorted(model_of(device.product).events),
            "form": sending.form_of(message, sample_values(device.product)),
            "is_test": device.key.endswith(TEST),
        }
        | access_of(device)
    )
    return render(request, "devices/detail/connect.html", context)


@require_POST
@never_cache
@tenant_page(Role.ADMIN)
def rotate(request: HttpRequest, key: str) -> HttpResponse:
    """A new secret, shown once; the old one ends at once, or later where the broker asks us whether it still holds."""
    device = device_of(request, key)
    hours = request.POST.get("grace", "")
    grace = timedelta(hours=int(hours)) if hours in GRACE and not settings.BROKER_DIR else timedelta()
    secret = provisioning.rotate_secret(device, grace=grace)
    return render(request, "devices/detail/credentials.html", panel(request, device, secret) | {"may_edit": True})


def test_key(device: Device) -> str:
    """What the device to try things with is called."""
    return device.key[: LONGEST_KEY - len(TEST)] + TEST


@require_POST
@never_cache
@tenant_page(Role.ADMIN)
def make_test_device(request: HttpRequest, key: str) -> HttpResponse:
    """A second device of the same product with credentials of its own, so that the real one is left alone."""
    device = device_of(request, key)
    name = _("%(name)s (test)") % {"name": device.name[:190]}
    try:
        made, secret = provisioning.create_device(device.tenant, key=test_key(device), name=name, product=device.product)
    except Conflict:
        existing = Device.objects.for_tenant(device.tenant).filter(key=test_key(device)).first()
        context = panel(request, device) | {"may_edit": True, "taken": test_key(device), "existing": existing}
        return render(request, "devices/detail/credentials.html", context, status=409)
    return render(request, "devices/detail/credentials.html", panel(request, made, secret) | {"may_edit": True, "made": True})


@require_POST
@tenant_page(Role.OPERATOR)
def send(request: HttpRequest, key: str) -> HttpResponse:
    """One message through the real uplink, and what became of it."""
    device = device_of(request, key)
    result = sending.send(device, request.POST)
    return render(request, "devices/detail/sent.html", {"device": device, "sent": result}, status=422 if result.problem else 200)
