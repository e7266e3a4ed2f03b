"""Connect a device: what it is, its name, its secret shown once, a program to paste, and the first message live."""

from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from devices import catalog
from devices.catalog.install import install
from devices.endpoint import endpoint_of, further_doors, only_here
from devices.models import Device, Product
from devices.provisioning import create_device
from devices.snippets import snippets
from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import Role, Tenant
from iotpanel.tenants.web import TenantRequest, tenant_page

from .trust import has_own_root


class Choice(NamedTuple):
    """A card of the first step: a product of the tenant (`own:key`) or one that comes ready (`ready:name`)."""

    value: str
    icon: str
    name: str
    note: str


ICONS = {
    "temp": ("climate", "room", "temperature", "lht", "em300-th", "elsys", "pt100"),
    "bolt": ("power", "meter", "energy"),
    "drop": ("cold", "water", "zld", "leak"),
    "place": ("tracker", "gps"),
    "gateway": ("gateway",),
    "door": ("door", "lds"),
}


def icon_for(text: str) -> str:
    """The picture that goes with a product's name or key."""
    found = (name for name, words in ICONS.items() if any(word in text.lower() for word in words))
    return next(found, "product")


def choices(tenant: Tenant) -> list[Choice]:
    """The tenant's own products, then the ready ones that it does not have yet."""
    own = Product.objects.for_tenant(tenant).order_by("name")[:60]
    found = [Choice(f"own:{p.key}", icon_for(f"{p.key} {p.name}"), p.name, p.description or _("your product")) for p in own]
    taken = {product.key for product in own}
    ready = [product for product in catalog.list_products() if product["key"] not in taken]
    return found + [Choice(f"ready:{p['key']}", icon_for(f"{p['key']} {p['name']}"), p["name"], p["description"]) for p in ready]


def _product(tenant: Tenant, choice: str) -> Product:
    """The chosen product, a ready one made first. Raises ValidationError."""
    kind, _colon, key = choice.partition(":")
    if kind == "ready" and key in {product["key"] for product in catalog.list_products()}:
        return install(tenant, key)
    found = Product.objects.for_tenant(tenant).filter(key=key).first() if kind == "own" else None
    if found is None:
        raise ValidationError({"product": _("Choose what it is.")})
    return found


@transaction.atomic
def _create(tenant: Tenant, sent: dict[str, str]) -> tuple[Device, str]:
    """All or nothing: no product is left behind when the device's key is taken."""
    product = _product(tenant, sent["product"])
    try:
        return create_device(tenant, key=sent["key"], name=sent["name"], product=product)
    except Conflict as error:
        raise ValidationError({"key": error.message}) from error


def _show(request: TenantRequest, first: bool, extra: dict[str, Any]) -> HttpResponseBase:
    template = "first_use/steps.html" if request.htmx else "first_use/page.html"
    return render(request, template, {"choices": choices(request.tenant), "first": first} | extra)


def _page(request: TenantRequest, first: bool) -> HttpResponseBase:
    if request.method != "POST":
        sent = {"product": request.GET.get("product", ""), "name": "", "key": ""}
        return _show(request, first, {"sent": sent})
    sent = {name: request.POST.get(name, "").strip() for name in ("product", "name", "key")}
    try:
        device, secret = _create(request.tenant, sent)
    except ValidationError as error:
        return _show(request, first, {"sent": sent, "errors": error.message_dict})
    endpoint = endpoint_of(request)
    made = {
        "device": device,
        "secret": secret,
        "snippets": snippets(device, endpoint, secret),
        "only_here": only_here(),
        "endpoint": endpoint,
        "doors": further_doors(endpoint),
        "own_root": has_own_root(),
    }
    return _show(request, first, {"sent": sent} | made)


@never_cache
@tenant_page(Role.ADMIN)
def new_device(request: TenantRequest) -> HttpResponseBase:
    """Add a device; the answer to the form holds the secret, once."""
    return _page(request, first=False)


@never_cache
@tenant_page()
def welcome(request: TenantRequest) -> HttpResponseBase:
    """The same for an empty tenant, with words for who has never done it; viewers wait for somebody who may."""
    if not request.role.allows(Role.ADMIN):
        return render(request, "first_use/wait.html")
    return _page(request, first=True)


@require_POST
@tenant_page()
def skip(request: TenantRequest) -> HttpResponseBase:
    """Look around an empty platform first."""
    request.session["welcomed"] = True
    return redirect("overview")
