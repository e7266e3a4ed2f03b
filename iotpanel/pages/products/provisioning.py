"""The Provisioning tab of a product: who may register, the secret that its devices share, serial numbers and who waits."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from devices.endpoint import endpoint_of
from devices.enrolment import policies, serials
from devices.models import Product, RegistrationMode, Serial, SerialState
from iotpanel.api.errors import ApiError
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest, tenant_page

from .provisioning_words import snippet
from .views import around, messages_of, product_of

SHOWN = 50
MOST_BYTES = 8_000_000  # a hundred thousand serial numbers of 64 characters
VERBS = {
    "approve": (Role.OPERATOR, serials.approve),
    "deny": (Role.OPERATOR, serials.deny),
    "again": (Role.ADMIN, serials.let_in_again),
    "remove": (Role.ADMIN, serials.remove),
}


def _page(request: TenantRequest, product: Product, status: int = 200, **more: Any) -> HttpResponseBase:
    rows = Serial.objects.for_tenant(request.tenant).filter(product=product).select_related("device")
    asked = {name: request.GET.get(name, "").replace("\0", "")[:64] for name in ("state", "search")}
    found = rows.filter(state=asked["state"]) if asked["state"] in SerialState.values else rows
    found = found.filter(serial__icontains=asked["search"]) if asked["search"] else found
    policy = policies.policy_of(product)
    address = f"{request.tenant.key}/{product.key}"
    context: dict[str, Any] = {
        "policy": policy,
        "values": {name: getattr(policy, name) for name in ("mode", "approval", "key_template", "max_devices", "authority", "common_name")},
        "modes": RegistrationMode.choices,
        "states": SerialState.choices,
        "counts": dict(rows.order_by().values_list("state").annotate(Count("pk"))),
        "waiting": rows.filter(state=SerialState.PENDING).order_by("asked_at")[:SHOWN],
        "rows": found[:SHOWN],
        "total": found.count(),
        "asked": asked,
        "address": address,
        "snippet": snippet(endpoint_of(request).web, address, more.get("secret") or ""),
        "problems": {},
        "secret": None,
        "may_decide": request.role.allows(Role.OPERATOR),
        "may_change": request.role.allows(Role.ADMIN),
    }
    return render(request, "products/provisioning.html", around(request, product, "provisioning") | context | more, status=status)


@never_cache
@tenant_page()
def provisioning(request: TenantRequest, key: str) -> HttpResponseBase:
    """What is set, who waits, and the list."""
    return _page(request, product_of(request, key))


@require_POST
@tenant_page(Role.ADMIN)
def policy(request: TenantRequest, key: str) -> HttpResponseBase:
    """Who may register from now on; the form again with what was wrong."""
    product, sent = product_of(request, key), request.POST
    limit = sent.get("max_devices", "").strip()
    values: dict[str, Any] = {
        "mode": sent.get("mode", ""),
        "approval": "approval" in sent,
        "key_template": sent.get("key_template", "")[:200],
    }
    values |= {name: sent[name].strip().replace("\r\n", "\n") for name in ("authority", "common_name") if name in sent}
    values["max_devices"] = int(limit) if limit.isascii() and limit.isdigit() and len(limit) < 10 else limit[:20]
    try:
        policies.set_policy(product, **values)
    except ValidationError as error:
        return _page(request, product, 400, values=values, problems=messages_of(error))
    messages.success(request, _("Saved."))
    return redirect("product-provisioning", key)


@require_POST
@never_cache
@tenant_page(Role.ADMIN)
def secret(request: TenantRequest, key: str) -> HttpResponseBase:
    """A new secret, shown in this answer only; the one before ends."""
    product = product_of(request, key)
    return _page(request, product, secret=policies.new_product_secret(product))


@require_POST
@tenant_page(Role.ADMIN)
def add_serials(request: TenantRequest, key: str) -> HttpResponseBase:
    """Serial numbers out of a CSV file, or out of the box: all of them or none."""
    product, file = product_of(request, key), request.FILES.get("file")
    typed = request.POST.get("serials", "")[:MOST_BYTES]
    try:
        found = serials.list_serials(product, serials.read_csv(_text_of(file) if file is not None else typed))
    except ValidationError as error:
        return _page(request, product, 400, problems=messages_of(error), typed=typed[:5_000])
    words = ngettext("%(count)d serial number is new on the list.", "%(count)d serial numbers are new on the list.", found.added)
    messages.success(request, words % {"count": found.added})
    return redirect("product-provisioning", key)


def _text_of(file: Any) -> str:
    if file.size > MOST_BYTES:
        raise ValidationError({"serials": _("The file is too large.")})
    try:
        return str(file.read().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValidationError({"serials": _("The file is not UTF-8 text.")}) from None


@require_POST
@tenant_page(Role.OPERATOR)
def decide(request: TenantRequest, key: str, pk: int, verb: str) -> HttpResponseBase:
    """Approve, deny, let in again, or take off the list."""
    needed, act = VERBS.get(verb) or _no_verb()
    product = product_of(request, key)
    row: Serial = get_object_or_404(Serial.objects.for_tenant(request.tenant), product=product, pk=pk)
    if not request.role.allows(needed):
        return _page(request, product, 403, problems={"decide": [_("Your role does not allow this.")]})
    try:
        act(row)
    except ApiError as error:
        messages.error(request, error.message)
    return redirect("product-provisioning", key)


def _no_verb() -> Any:
    raise Http404
