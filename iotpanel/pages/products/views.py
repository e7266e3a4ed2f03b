"""Products: the list, and each with its thing model, codec, topics and devices."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from devices import catalog
from devices.catalog.install import install
from devices.models import Device, Product
from iotpanel.pages.overview.fleet import STATES
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest, tenant_page
from telemetry.models import DeadLetterRecord
from telemetry.tiles import model_of


def product_of(request: TenantRequest, key: str) -> Product:
    """The tenant's product; 404 for any other."""
    found: Product = get_object_or_404(Product.objects.for_tenant(request.tenant), key=key)
    return found


def edit_address(request: TenantRequest, product: Product) -> str:
    """The product's record in the admin, for those who may edit it there; empty for others."""
    if not request.role.allows(Role.ADMIN) or not request.user.is_staff:
        return ""
    try:
        return reverse("admin:devices_product_change", args=[product.pk])
    except NoReverseMatch:
        return ""


def _with_counts(request: TenantRequest) -> QuerySet[Product]:
    online = Count("devices", filter=Q(devices__enabled=True, devices__presence__online=True))
    found: QuerySet[Product] = Product.objects.for_tenant(request.tenant)
    return found.annotate(total=Count("devices"), online=online).order_by("name", "pk")


@tenant_page()
def products(request: TenantRequest) -> HttpResponseBase:
    """The list."""
    found = list(_with_counts(request)[:500])
    letters = DeadLetterRecord.objects.for_tenant(request.tenant).open().order_by()
    by_product = dict(letters.exclude(product=None).values_list("product").annotate(Count("pk")))
    rows = [(product, len(model_of(product).properties), by_product.get(product.pk, 0)) for product in found]
    taken = {product.key for product in found}
    ready = [product for product in catalog.list_products() if product["key"] not in taken]
    return render(request, "products/list.html", {"rows": rows, "ready": ready})


@require_POST
@tenant_page(Role.ADMIN)
def take_ready(request: TenantRequest) -> HttpResponseBase:
    """Take a ready product out of the catalog."""
    name = request.POST.get("product", "")
    if name not in {product["key"] for product in catalog.list_products()}:
        return redirect("products")
    return redirect("product", install(request.tenant, name).key)


def around(request: TenantRequest, product: Product, tab: str) -> dict[str, Any]:
    """What every tab of a product shows around its own part."""
    labels = {"model": _("Thing model"), "codec": _("Codec"), "topics": _("Topics"), "firmware": _("Firmware")}
    labels |= {"provisioning": _("Provisioning"), "devices": _("Devices")}
    base = product.get_absolute_url()
    tabs = [(label, base if name == "model" else f"{base}{name}/", name == tab) for name, label in labels.items()]
    return {"product": product, "tabs": tabs, "tab": tab, "edit": edit_address(request, product)}


@tenant_page()
def product(request: TenantRequest, key: str) -> HttpResponseBase:
    """The thing model, and the facts."""
    found = product_of(request, key)
    counts = {state: Count("pk", filter=condition) for state, condition in STATES.items()}
    devices = Device.objects.for_tenant(request.tenant).filter(product=found).aggregate(total=Count("pk"), **counts)
    unknown = found.discovered.order_by("kind", "key")[:50]
    context = {"model": model_of(found), "devices": devices, "discovered": unknown}
    return render(request, "products/model.html", around(request, found, "model") | context)


@tenant_page()
def topics(request: TenantRequest, key: str) -> HttpResponseBase:
    """The product's own topics beside those that every device has."""
    found = product_of(request, key)
    native = [
        ("devices/{key}/up/telemetry", _("readings, as JSON")),
        ("devices/{key}/up/attributes", _("what rarely changes, as JSON")),
        ("devices/{key}/up/events/{name}", _("an event with its parameters")),
        ("devices/{key}/up/raw", _("any bytes, for the codec")),
        ("devices/{key}/up/status", _("“online” or “offline”, also as last will")),
        ("devices/{key}/up/gateway/{kind}", _("the same for the children of a gateway")),
    ]
    return render(request, "products/topics.html", around(request, found, "topics") | {"native": native})


@tenant_page()
def devices(request: TenantRequest, key: str) -> HttpResponseBase:
    """The device list, narrowed to this product."""
    return redirect(f"/devices/?product={product_of(request, key).key}")


def messages_of(error: ValidationError) -> dict[str, list[str]]:
    """A verb's refusal by field."""
    return error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
