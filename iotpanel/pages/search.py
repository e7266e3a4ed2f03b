"""Ctrl K: find a device, a product, a rule, an alarm or a page by its name, key or message."""

from typing import NamedTuple

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from devices.models import Device, Product
from iotpanel.tenants.models import Tenant
from iotpanel.tenants.web import TenantRequest, tenant_page
from rules.models import Alarm, Rule

from .navigation import sections

LIMIT = 8
RECENT = 1_000  # alarms of the past that are looked through: the list of alarms searches all


class Found(NamedTuple):
    url: str
    icon: str
    name: str
    note: str


def _pages(query: str, tenant: Tenant) -> list[Found]:
    entries = [entry for _label, group in sections("", None) for entry in group]
    entries_found = [Found(e.url, e.icon, e.label, _("Page")) for e in entries if query.lower() in e.label.lower()]
    return entries_found + [Found("/account/", "user", _("Account"), _("Page"))] * (query.lower() in _("Account").lower())


def _devices(query: str, tenant: Tenant) -> list[Found]:
    found = Device.objects.for_tenant(tenant).filter(Q(name__icontains=query) | Q(key__icontains=query)).order_by("key")[:LIMIT]
    return [Found(device.get_absolute_url(), "device", device.name, device.key) for device in found]


def _products(query: str, tenant: Tenant) -> list[Found]:
    found = Product.objects.for_tenant(tenant).filter(Q(name__icontains=query) | Q(key__icontains=query))[:LIMIT]
    return [Found(product.get_absolute_url(), "product", product.name, product.key) for product in found]


def _rules(query: str, tenant: Tenant) -> list[Found]:
    found = Rule.objects.for_tenant(tenant).filter(name__icontains=query)[:LIMIT]
    return [Found(rule.get_absolute_url(), "rule", rule.name, _("Rule") if rule.enabled else _("Rule, off")) for rule in found]


def _alarms(query: str, tenant: Tenant) -> list[Found]:
    """Active ones, then of the newest thousand those that are over."""
    mine = Alarm.objects.for_tenant(tenant).select_related("device")
    called = (
        Q(message__icontains=query) | Q(rule_name__icontains=query) | Q(device__name__icontains=query) | Q(device__key__icontains=query)
    )
    found = list(mine.active().filter(called)[:LIMIT])
    newest = Alarm.objects.for_tenant(tenant).values("pk")[:RECENT]
    found += mine.filter(called, pk__in=newest, active=False)[: LIMIT - len(found)]
    return [Found(alarm.get_absolute_url(), "alarm", str(alarm), alarm.device.name) for alarm in found]


KINDS = (_devices, _products, _rules, _alarms, _pages)


def find(query: str, tenant: Tenant) -> list[Found]:
    """At most 8 of each kind in this tenant; all pages where nothing was typed yet."""
    if not query:
        return _pages("", tenant)
    return [one for kind in KINDS for one in kind(query, tenant)]


@tenant_page()
def search(request: TenantRequest) -> HttpResponse:
    """The options of the search dialog for `?q=`."""
    query = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    return render(request, "shell/results.html", {"found": find(query, request.tenant), "query": query})
