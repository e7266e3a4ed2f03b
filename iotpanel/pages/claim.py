"""Claiming a device by the code that stands on it; the QR code leads here."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from devices.enrolment import claims
from devices.models import Group
from iotpanel.api.errors import ApiError
from iotpanel.api.throttling import count
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest, tenant_page

TRIES = 10  # codes a minute and person, together with REST


@never_cache
@tenant_page(Role.OPERATOR)
def claim_device(request: TenantRequest) -> HttpResponseBase:
    """The form, filled with the code of the address; then the device."""
    sent = {name: (request.POST or request.GET).get(name, "").strip()[:200] for name in ("code", "name", "group")}
    groups = Group.objects.for_tenant(request.tenant).order_by("name")[:200]
    context: dict[str, Any] = {"sent": sent, "groups": groups, "error": ""}
    if request.method != "POST":
        return render(request, "devices/claim.html", context)
    try:
        count(f"claim:{request.user.pk}", TRIES)
        chosen = Group.objects.for_tenant(request.tenant).filter(key=sent["group"].replace("\0", ""))
        may_transfer = request.role.allows(Role.ADMIN)
        given: dict[str, Any] = {"name": sent["name"], "groups": chosen, "may_transfer": may_transfer, "person": request.user}
        device = claims.claim(request.tenant, sent["code"], **given)
    except ApiError as error:
        return render(request, "devices/claim.html", context | {"error": error.message}, status=error.status_code)
    except ValidationError as error:
        return render(request, "devices/claim.html", context | {"error": " ".join(error.messages)}, status=400)
    messages.success(request, _("%(device)s is yours.") % {"device": device.name})
    return redirect(device.get_absolute_url())
