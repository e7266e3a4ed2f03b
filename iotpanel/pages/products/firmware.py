"""The Firmware tab of a product: its packages, the newest first, and a form that uploads one."""

from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from devices.firmware import packages
from devices.models import Firmware, Product, RunningFirmware
from iotpanel.api.errors import ApiError
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest, tenant_page

from .views import around, product_of

TEXTS = ("version", "sha256", "signature", "notes")
MOST_TEXT = 20_000
OTHERS_SHOWN = 10


def _page(request: TenantRequest, product: Product, status: int = 200, **more: Any) -> HttpResponseBase:
    found = packages.in_order(Firmware.objects.for_tenant(request.tenant).filter(product=product).select_related("person"))
    running = RunningFirmware.objects.for_tenant(request.tenant).filter(device__product=product)
    counts = Counter(running.values_list("version", flat=True))
    context: dict[str, Any] = {
        "rows": [(each, counts.pop(each.version, 0)) for each in found],
        "others": counts.most_common(OTHERS_SHOWN),
        "may_upload": request.role.allows(Role.ADMIN),
        "may_start": request.role.allows(Role.OPERATOR),
        "sent": {},
        "errors": {},
    }
    return render(request, "products/firmware.html", around(request, product, "firmware") | context | more, status=status)


@tenant_page()
def firmware(request: TenantRequest, key: str) -> HttpResponseBase:
    """The list, and for administrators the form."""
    return _page(request, product_of(request, key))


@require_POST
@tenant_page(Role.ADMIN)
def upload(request: TenantRequest, key: str) -> HttpResponseBase:
    """A new package, or the form again with what was wrong."""
    product, image = product_of(request, key), request.FILES.get("file")
    sent = {name: request.POST.get(name, "")[:MOST_TEXT] for name in TEXTS} | {"rollback": "rollback" in request.POST}
    if image is None:
        return _page(request, product, 400, sent=sent, errors={"file": [_("Choose a file.")]})
    given: dict[str, Any] = {**sent, "version": str(sent["version"]).strip()}
    try:
        made = packages.add_package(product, pieces=image.chunks(), person=request.user, **given)
    except ApiError as error:
        return _page(request, product, error.status_code, sent=sent, errors=error.details or {"": [error.message]}, code=error.code)
    except ValidationError as error:
        return _page(request, product, 400, sent=sent, errors={"notes": error.messages})
    messages.success(request, _("Version %(version)s is there.") % {"version": made.version})
    return redirect("product-firmware", key)


@require_POST
@tenant_page(Role.ADMIN)
def delete(request: TenantRequest, key: str, pk: int) -> HttpResponseBase:
    """Takes a package away that no job gives out."""
    found: Firmware = get_object_or_404(Firmware.objects.for_tenant(request.tenant), product=product_of(request, key), pk=pk)
    try:
        packages.delete_package(found)
        messages.success(request, _("Version %(version)s is deleted.") % {"version": found.version})
    except ApiError as error:
        messages.error(request, error.message)
    return redirect("product-firmware", key)
