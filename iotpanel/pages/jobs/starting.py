"""The form that starts a job of any kind, and what the job would meet if it started now."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from devices.jobs import KINDS, verbs
from devices.models import Group, Product
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest, tenant_page

from . import form
from .words import reason_words

OFFERED = 200


def _context(request: TenantRequest, sent: form.Sent) -> dict[str, Any]:
    products = list(Product.objects.for_tenant(request.tenant).order_by("name")[:OFFERED])
    commands = {command.get("key", "") for product in products for command in product.thing_model.get("commands") or []}
    return {
        "sent": sent,
        "kinds": [(kind, label) for kind, label in form.KIND_WORDS.items() if request.role.allows(KINDS[kind].needs)],
        "packages": form.choices(request.tenant),
        "products": products,
        "groups": Group.objects.for_tenant(request.tenant).order_by("name")[:OFFERED],
        "commands": sorted(filter(None, commands)),
        "numbers": [(name, label, sent[name]) for name, label in form.NUMBERS.items()],
        "days": list(enumerate((_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")))),
    }


@never_cache
@tenant_page(Role.OPERATOR)
def new_job(request: TenantRequest) -> HttpResponseBase:
    """The form; then the job's page."""
    if request.method != "POST":
        return render(request, "jobs/new.html", _context(request, form.blank(request.tenant, request.GET)))
    sent = form.read(request.POST)
    context = _context(request, sent)
    if "preview" in request.POST:  # a browser without scripts
        shown = _preview(request, sent)
        return render(request, "jobs/new.html", context | shown, status=400 if "problem" in shown else 200)
    try:
        order = form.order_of(request.tenant, sent)
        refuse(request, order["kind"])
        return redirect(verbs.start(request.tenant, person=request.user, **order).get_absolute_url())
    except ValidationError as error:
        return render(request, "jobs/new.html", context | {"problem": _texts(error)}, status=400)


@require_POST
@never_cache
@tenant_page(Role.OPERATOR)
def preview(request: TenantRequest) -> HttpResponseBase:
    """The dry run alone, for HTMX; what is wrong is part of the answer, so that it is shown."""
    return render(request, "jobs/preview.html", _preview(request, form.read(request.POST)))


def _preview(request: TenantRequest, sent: form.Sent) -> dict[str, Any]:
    try:
        order = form.order_of(request.tenant, sent)
        refuse(request, order["kind"])
        asked = {name: order[name] for name in ("kind", "spec", "target", "rollout")}
        found = verbs.dry_run(request.tenant, **asked)
    except ValidationError as error:
        return {"problem": _texts(error)}
    problems = [(code, reason_words(code), number) for code, number in found["problems"].items()]
    return {"preview": found, "preview_problems": problems}


def refuse(request: TenantRequest, kind: str) -> None:
    """Raises PermissionDenied where the kind needs a larger role."""
    if not request.role.allows(KINDS[kind].needs):
        raise PermissionDenied


def _texts(error: ValidationError) -> list[str]:
    if not hasattr(error, "error_dict"):
        return error.messages
    return [
        text if name in ("spec", "target", "kind") else f"{name}: {text}" for name, texts in error.message_dict.items() for text in texts
    ]
