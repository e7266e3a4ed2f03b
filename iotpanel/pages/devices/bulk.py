"""Many devices at once: a form, and a file with their credentials that is shown once."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from devices.enrolment import many
from devices.models import Product
from iotpanel.api.errors import ApiError
from iotpanel.api.streaming import stream_csv
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest, tenant_page

FIELDS = ("product", "pattern", "count", "first", "keys", "claim_days")
USUAL = {"first": "1", "count": "10", "claim_days": "365"}
MOST_TEXT = 1_000_000


@never_cache
@tenant_page(Role.ADMIN)
def make_many(request: TenantRequest) -> HttpResponseBase:
    """The form; then the file itself is the answer, as nobody can show the secrets again."""
    sent: dict[str, Any] = {name: request.POST.get(name, "")[:MOST_TEXT].strip() for name in FIELDS}
    sent |= {"claim": "claim" in request.POST, "transferable": "transferable" in request.POST}
    if request.method != "POST":
        return _form(request, sent | USUAL | {"product": request.GET.get("product", "")[:64], "claim": False})
    try:
        made = _make(request, sent)
    except ValidationError as error:
        problems = error.message_dict if hasattr(error, "error_dict") else {"keys": error.messages}
        return _form(request, sent, problems, 400)
    except ApiError as error:
        taken = ", ".join((error.details or {}).get("keys", [])[:20])
        return _form(request, sent, {"keys": [f"{error.message} {taken}".strip()]}, error.status_code)
    answer = stream_csv(request, many.lines(made), "credentials.csv")
    answer["Cache-Control"] = "no-store, private"
    return answer


def _make(request: TenantRequest, sent: dict[str, Any]) -> list[many.NewDevice]:
    product = Product.objects.for_tenant(request.tenant).filter(key=sent["product"].replace("\0", "")).first()
    if product is None:
        raise ValidationError({"product": _("There is no such product.")})
    typed = sent["keys"].split()
    if bool(typed) == bool(sent["pattern"]):
        raise ValidationError({"keys": _("Give either keys or a pattern.")})
    keys = typed or many.numbered(sent["pattern"], _number(sent, "count"), _number(sent, "first"))
    days = _number(sent, "claim_days") if sent["claim"] else 0
    if sent["claim"] and not days:
        raise ValidationError({"claim_days": _("How many days?")})
    return many.create_many(request.tenant, product, keys, claim_days=days, transferable=sent["claim"] and sent["transferable"])


def _number(sent: dict[str, Any], name: str) -> int:
    text = sent[name]
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise ValidationError({name: _("This must be a whole number.")})
    return int(text)


def _form(request: TenantRequest, sent: dict[str, Any], problems: dict[str, Any] | None = None, status: int = 200) -> HttpResponseBase:
    products = Product.objects.for_tenant(request.tenant).order_by("name")[:500]
    context = {"sent": sent, "products": products, "problems": problems or {}, "limit": many.MAX_AT_ONCE}
    return render(request, "devices/bulk.html", context, status=status)
