"""Rules: the list, and one rule with its form, sentence and back-test."""

from typing import Any

import orjson
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Q, QuerySet
from django.http import Http404, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from iotpanel.tenants.models import Role, Tenant
from iotpanel.tenants.web import TenantRequest, tenant_page
from rules import effects, rules
from rules.models import Rule
from rules.wording import plain, sentence

from . import choices
from .actions import action_kinds, inserts
from .backtest import backtest
from .outside import outside
from .words import words

VIEWS = {"": Q(), "on": Q(enabled=True), "off": Q(enabled=False)}
SHOWN = 500
BODY_BYTES = 64_000
STARTER: dict[str, Any] = {"scope": {}, "trigger": "readings", "actions": [{"kind": "alarm", "severity": "major"}]}


@tenant_page()
def rule_list(request: TenantRequest) -> HttpResponseBase:
    """The list, each rule as its sentence."""
    view = request.GET.get("view", "")
    view = view if view in VIEWS else ""
    q = request.GET.get("q", "").replace("\0", "")[:200].strip()
    mine: QuerySet[Rule] = Rule.objects.for_tenant(request.tenant)
    found = mine.filter(VIEWS[view], name__icontains=q) if q else mine.filter(VIEWS[view])
    active = Count("alarms", filter=Q(alarms__active=True))
    rows = list(found.annotate(active=active, raised=Max("alarms__raised_at")).order_by("name", "pk")[:SHOWN])
    counts = {name: mine.filter(each).count() for name, each in VIEWS.items()}
    labels = {"": _("All"), "on": _("On"), "off": _("Off")}
    trouble = effects.down_of(request.tenant, [rule.pk for rule in rows])
    context = {
        "rows": [(rule, rule.pk in trouble, plain(sentence(rule.body, choices.names(request.tenant, rule.body)))) for rule in rows],
        "views": [(name, label, counts[name]) for name, label in labels.items()],
        "view": view,
        "q": q,
    }
    return render(request, "rules/list.html", context)


def rule_of(tenant: Tenant, pk: int) -> Rule:
    """The tenant's rule; 404 for any other."""
    found: Rule = get_object_or_404(Rule.objects.for_tenant(tenant), pk=pk)
    return found


@tenant_page(Role.ADMIN)
def new_rule(request: TenantRequest) -> HttpResponseBase:
    """An empty form, or one that begins with a device's product and property; POST makes the rule, switched off until tried."""
    if request.method == "POST":
        return _save(request, None)
    return _show(request, None, _starter(request), _("New rule"))


def _starter(request: TenantRequest) -> dict[str, Any]:
    """A rule about the product that is asked for, else about one that measures something."""
    known = choices.products(request.tenant)
    asked = request.GET.get("product", "")
    found = next((each for each in known if each["key"] == asked), None) or next((each for each in known if each["properties"]), None)
    return {**STARTER, "scope": {"product": found["key"]}} if found else STARTER


@tenant_page()
def rule(request: TenantRequest, pk: int) -> HttpResponseBase:
    """One rule; POST saves it."""
    found = rule_of(request.tenant, pk)
    if request.method == "POST":
        return _write(request, pk=pk)
    return _show(request, found, found.body, found.name)


@tenant_page(Role.ADMIN)
def _write(request: TenantRequest, pk: int) -> HttpResponseBase:
    return _save(request, rule_of(request.tenant, pk))


def _save(request: TenantRequest, found: Rule | None) -> HttpResponseBase:
    name = request.POST.get("name", "").strip()
    enabled = {"on": True, "off": False}.get(request.POST.get("switch", ""), found.enabled if found else False)
    body: Any = {}
    try:
        body = orjson.loads(request.POST.get("body", "")[: BODY_BYTES * 2])
        if found is None:
            found = rules.create_rule(request.tenant, name=name, body=body, enabled=enabled, by=request.user)
        else:
            found = rules.update_rule(found, name=name, body=body, enabled=enabled)
    except orjson.JSONDecodeError:
        return _show(request, found, STARTER, name, [("", _("This is no valid JSON."))])
    except ValidationError as error:
        return _show(request, found, body if isinstance(body, dict) else STARTER, name, _flat(error))
    messages.success(request, _("Saved, and switched on") if found.enabled else _("Saved; it is switched off"))
    return redirect(found.get_absolute_url())


def _flat(error: ValidationError) -> list[tuple[str, str]]:
    """Field and message of each problem."""
    by_field = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    return [(name, " ".join(texts)) for name, texts in by_field.items()]


def _show(
    request: TenantRequest, found: Rule | None, body: dict[str, Any], name: str, problems: list[tuple[str, str]] | None = None
) -> HttpResponseBase:
    products = choices.products(request.tenant)
    writes = request.role.allows(Role.ADMIN)
    data = {
        "id": found.pk if found else None,
        "body": body,
        "products": products,
        "any": choices.any_product(products),
        "groups": choices.groups(request.tenant),
        "actions": action_kinds(choices.options(request.tenant)),
        "scenes": [each for each in choices.scenes(request.tenant) if found is None or each["id"] != found.pk],
        "inserts": inserts(),
        "words": words(),
        "writes": writes,
        "addresses": {"read": "/rules/-/read/", "test": "/rules/-/backtest/", "devices": "/rules/-/devices/"},
    }
    parts = sentence(body, choices.names(request.tenant, body))
    effects_of = outside(found) if found else []
    context = {
        "rule": found,
        "name": name,
        "data": data,
        "parts": parts,
        "problems": problems or [],
        "writes": writes,
        "outside": effects_of,
    }
    return render(request, "rules/rule.html", context, status=400 if problems else 200)


@require_POST
@tenant_page(Role.ADMIN)
def switch(request: TenantRequest, pk: int) -> HttpResponseBase:
    """Switch a rule on or off."""
    found = rule_of(request.tenant, pk)
    try:
        rules.update_rule(found, enabled=request.POST.get("switch") == "on")
    except ValidationError as error:
        messages.error(request, " ".join(text for _name, text in _flat(error)))
    return redirect((request.POST.get("back") == "list" and "rules") or found.get_absolute_url())


@require_POST
@tenant_page(Role.ADMIN)
def delete(request: TenantRequest, pk: int) -> HttpResponseBase:
    """Delete a rule; its alarms are cleared and stay in the history."""
    found = rule_of(request.tenant, pk)
    rules.delete_rule(found)
    messages.success(request, _("“%(rule)s” is deleted") % {"rule": found.name})
    return redirect("rules")


# --- What follows an edit ---------------------------------------------------------------------------------------------


def _body_of(request: TenantRequest) -> dict[str, Any]:
    try:
        asked = orjson.loads(request.body) if len(request.body) <= BODY_BYTES else None
    except orjson.JSONDecodeError:
        asked = None
    if not isinstance(asked, dict) or not isinstance(asked.get("body"), dict):
        raise Http404
    return asked


@require_POST
@tenant_page()
def read(request: TenantRequest) -> HttpResponseBase:
    """The sentence of a body, and what is wrong with it."""
    body = _body_of(request)["body"]
    parts = [list(part) for part in sentence(body, choices.names(request.tenant, body))]
    return JsonResponse({"sentence": parts, "problems": rules.what_is_wrong(request.tenant, body)})


@tenant_page()
def devices(request: TenantRequest) -> HttpResponseBase:
    """A few devices whose key or name holds `?q=`: key, name and product."""
    return JsonResponse({"devices": choices.devices(request.tenant, request.GET.get("q", "").replace("\0", "")[:100].strip())})


@require_POST
@tenant_page()
def test(request: TenantRequest) -> HttpResponseBase:
    """What a body would have done over the last days."""
    asked = _body_of(request)
    days = asked.get("days")
    days = days if days in (7, 30, 90) else 30
    return JsonResponse(backtest(request.tenant, asked["body"], days))
