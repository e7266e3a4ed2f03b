"""What the admin's Ctrl K finds: a few of each kind, in the person's own tenants."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from devices.models import Device, Group, Job, Product
from iotpanel.tenants.models import ApiKey, Tenant, User
from rules.models import Channel, Forwarder, Rule

KINDS = (
    *((Device, "sensors"), (Product, "deployed_code"), (Group, "account_tree"), (Job, "checklist")),
    *((Rule, "rule"), (Forwarder, "forward"), (Channel, "campaign")),
    *((Tenant, "domain"), (User, "person"), (ApiKey, "key")),
)
LONGEST = 100  # characters of what is searched: each word is a condition
OF_EACH = 8


def search(request: HttpRequest, term: str) -> list[SearchResult]:
    """Unfold's `COMMAND.search_callback`; bounded, where its own search of models would read whole tables."""
    return [result for model, icon in KINDS for result in _found(request, admin.site._registry[model], icon, term)]


def _found(request: HttpRequest, model_admin: Any, icon: str, term: str) -> list[SearchResult]:
    if not model_admin.has_view_permission(request):
        return []
    opts = model_admin.opts
    rows, _duplicates = model_admin.get_search_results(request, model_admin.get_queryset(request), term.replace("\0", "")[:LONGEST])
    address = f"admin:{opts.app_label}_{opts.model_name}_change"
    kind = str(opts.verbose_name)
    return [SearchResult(str(row), kind, reverse(address, args=[row.pk]), icon) for row in rows[:OF_EACH]]
