"""The device list: saved views, search, filters, pages, and what can be done with many devices at once."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from devices.api.csv_files import lines
from devices.api.filters import VIEWS
from devices.models import Device, Group, Product
from devices.provisioning import update_device
from iotpanel.api.streaming import stream_csv
from iotpanel.pages.paging import page, read_cursor
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest, tenant_page

from .filters import Filters, chips, narrowed, shown_by
from .rows import rows

MANY = 500  # devices that one action may touch


def _labels() -> dict[str, str]:
    states = {"online": _("Online"), "offline": _("Offline"), "never": _("Never seen"), "disabled": _("Disabled")}
    return {"all": _("All")} | states | {"alarm": _("In alarm")}


def _views(request: TenantRequest, filters: Filters) -> list[dict[str, Any]]:
    devices, labels = narrowed(request.tenant, filters), _labels()
    return [{"key": v, "label": labels[v], "url": filters.address(view=v), "count": VIEWS[v](devices).count()} for v in VIEWS]


def _choices(request: TenantRequest, filters: Filters) -> dict[str, Any]:
    """What the filter menu offers."""
    products = Product.objects.for_tenant(request.tenant).order_by("name")[:200]
    groups = Group.objects.for_tenant(request.tenant).order_by("name")[:200]
    return {
        "products": [(product.name, filters.address(product=product.key)) for product in products],
        "groups": [(group.name, filters.address(group=group.key)) for group in groups],
        "all_groups": groups,
    }


def _context(request: TenantRequest) -> dict[str, Any]:
    filters = Filters.of(request.GET)
    views = _views(request, filters)
    chosen = shown_by(request.tenant, filters)
    chosen = chosen.select_related("product", "presence").prefetch_related("groups")
    shown = page(chosen, filters.sort, read_cursor(request.GET.get("cursor", "")))
    total = next(view["count"] for view in views if view["key"] == filters.view)
    sorts = {name: filters.address(sort=f"-{name}" if filters.sort == name else name) for name in ("key", "name", "product", "seen")}
    return {
        "filters": filters,
        "views": views,
        "chips": chips(request.tenant, filters),
        "rows": rows(request.tenant, shown.rows),
        "page": shown,
        "total": total,
        "end": shown.start + len(shown.rows) - 1,
        "sorts": sorts,
        "state_words": {"online": _("Online"), "offline": _("Offline %(span)s") % {"span": "SPAN"}, "on": _("on"), "off": _("off")},
        "here": filters.address(),
        "export": filters.address(sort="key"),
        "narrowed": filters.narrows,
        **_choices(request, filters),
    }


@tenant_page()
def device_list(request: TenantRequest) -> HttpResponseBase:
    """The page, or its table alone for HTMX."""
    context = _context(request)
    if request.htmx and not request.htmx.boosted:
        return render(request, "devices/list_body.html", context | {"alone": True})
    if not context["views"][0]["count"] and context["here"] == "?":
        context["empty"] = True
    return render(request, "devices/list.html", context)


@tenant_page()
def export(request: TenantRequest) -> HttpResponseBase:
    """The devices that the list shows under the same address, on all its pages, as a CSV file that can be imported again."""
    found = shown_by(request.tenant, Filters.of(request.GET)).select_related("product", "parent").prefetch_related("groups")
    return stream_csv(request, lines(found.order_by("key")), "devices.csv")


def _chosen(request: TenantRequest, asked: QueryDict) -> list[Device]:
    keys = asked.getlist("device")[:MANY]
    return list(Device.objects.for_tenant(request.tenant).filter(key__in=keys).order_by("key"))


def _apply(device: Device, action: str, group: Group | None) -> None:
    if action in ("enable", "disable"):
        update_device(device, enabled=action == "enable")
    elif group is not None:
        update_device(device, groups=[*device.groups.all(), group])


@require_POST
@tenant_page(Role.ADMIN)
def change_many(request: TenantRequest) -> HttpResponseBase:
    """Enable, disable or add to a group what was selected; devices of other tenants are not among the chosen."""
    action, devices = request.POST.get("action", ""), _chosen(request, request.POST)
    group = Group.objects.for_tenant(request.tenant).filter(key=request.POST.get("group", "")).first() if action == "group" else None
    back = "/devices/" + Filters.of(QueryDict(request.POST.get("back", "").removeprefix("?"))).address()
    if action not in ("enable", "disable", "group") or (action == "group" and group is None):
        messages.error(request, _("Choose what to do with the devices."))
        return redirect(back)
    try:
        for device in devices:
            _apply(device, action, group)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(back)
    count = len(devices)
    messages.success(request, ngettext("%(count)s device changed", "%(count)s devices changed", count) % {"count": count})
    return redirect(back)
