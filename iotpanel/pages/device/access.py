"""The part of the Connect tab about further ways in: certificates, and a claim code with its QR code."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from devices import certificates
from devices.certificates.verbs import DAYS, our_authority_text
from devices.enrolment import claims
from devices.enrolment.qr import svg
from devices.models import Claim, Device
from iotpanel.api.errors import ApiError
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import tenant_page
from telemetry.views.device import device_of

SHOWN = 20


def access_of(device: Device) -> dict[str, Any]:
    """What the part shows; secrets come on top at the moment they are made."""
    return {
        "shown": device,
        "certificates": device.certificates.all()[:SHOWN],
        "claim": Claim.objects.filter(device=device, claimed_at=None).first(),
        "may_claim": device.presence.last_seen is None,
        "cert_port": settings.MQTT_CERT_PORT,
        "sent": {"days": str(DAYS)},
        "problems": {},
    }


def _part(request: HttpRequest, device: Device, status: int = 200, **more: Any) -> HttpResponse:
    return render(request, "devices/detail/access.html", access_of(device) | {"may_edit": True} | more, status=status)


@require_POST
@never_cache
@tenant_page(Role.ADMIN)
def issue(request: HttpRequest, key: str) -> HttpResponse:
    """A certificate for the request in the box, or with a key pair that is shown once."""
    device = device_of(request, key)
    sent = {"csr": request.POST.get("csr", "")[:20_000].strip(), "days": request.POST.get("days", "").strip()[:8]}
    try:
        made = certificates.issue(device, csr=sent["csr"], days=int(sent["days"]) if sent["days"].isdecimal() else 0)
    except ValidationError as error:
        return _part(request, device, 422, sent=sent, problems=error.message_dict)
    except ApiError as error:
        return _part(request, device, 422, sent=sent, problems={"csr": [error.message]})
    return _part(request, device, issued=made, authority=our_authority_text())


@require_POST
@never_cache
@tenant_page(Role.ADMIN)
def revoke(request: HttpRequest, key: str, serial: str) -> HttpResponse:
    """It opens no door from now on."""
    device = device_of(request, key)
    certificates.revoke(get_object_or_404(device.certificates, serial=serial.replace("\0", "")))
    return _part(request, device, said=_("The certificate is revoked; its session ends within 10 s."))


@require_POST
@never_cache
@tenant_page(Role.ADMIN)
def claim_code(request: HttpRequest, key: str) -> HttpResponse:
    """Prepares the device: disabled until it is claimed. The code and its picture are in this answer only."""
    device = device_of(request, key)
    try:
        made, code = claims.prepare(device, transferable="transferable" in request.POST)
    except ApiError as error:
        return _part(request, device, 422, problems={"claim": [error.message]})
    address = request.build_absolute_uri(f"{reverse('device-claim')}?code={code}")
    picture = svg(address, _("QR code that claims %(device)s") % {"device": device.name})
    return _part(request, device, code=code, claim=made, address=address, picture=picture)


@require_POST
@never_cache
@tenant_page(Role.ADMIN)
def claim_code_revoke(request: HttpRequest, key: str) -> HttpResponse:
    """Ends the code, if nobody was quicker; the device stays disabled."""
    device = device_of(request, key)
    try:
        claims.revoke(get_object_or_404(Claim.objects.filter(device=device)))
    except ApiError as error:
        return _part(request, device, 422, problems={"claim": [error.message]})
    return _part(request, device, code_ended=True)
