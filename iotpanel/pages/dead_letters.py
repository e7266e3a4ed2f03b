"""Dead letters: what could not be accepted, why, with its bytes; replayed after a fix."""

from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from devices.exceptions import Unavailable
from devices.models import Device, Product
from iotpanel.api.errors import ApiError
from iotpanel.tenants.models import Role, Tenant
from iotpanel.tenants.web import TenantRequest, tenant_page
from telemetry.models import DeadLetterRecord
from telemetry.models.dead_letter import DeadLetterSet
from telemetry.uplink import adoption
from telemetry.uplink.replay import replay
from telemetry.uplink.replay_runs import Replayed, replay_all

from .paging import page, read_cursor
from .reasons import REASONS, advice, reason_words
from .replays import runs_of, tell, tell_waiting

SHOWN_BYTES = 65_536


class Asked(NamedTuple):
    """Which letters are wanted."""

    reason: str = ""
    product: str = ""
    device: str = ""
    view: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> "Asked":
        reason, product, device, view = (query.get(name, "").replace("\x00", "")[:200] for name in cls._fields)
        return cls(reason if reason in REASONS else "", product, device, view if view == "replayed" else "")

    def address(self, **changes: str) -> str:
        pairs = self._replace(**changes)._asdict().items()
        return "?" + urlencode([(name, value) for name, value in pairs if value])


def letters_of(tenant: Tenant, asked: Asked) -> DeadLetterSet:
    """The tenant's letters under these filters."""
    letters: DeadLetterSet = DeadLetterRecord.objects.for_tenant(tenant)
    letters = letters.filter(replayed_at__isnull=asked.view != "replayed")
    if asked.reason:
        letters = letters.filter(reason=asked.reason)
    if asked.product:
        letters = letters.filter(product__key=asked.product)
    return letters.filter(key=asked.device) if asked.device else letters


def _reasons(tenant: Tenant, asked: Asked) -> list[tuple[str, str, int, str]]:
    """Code, words, count and address of each reason that there is."""
    rows = letters_of(tenant, asked._replace(reason="")).order_by().values_list("reason").annotate(count=Count("pk")).order_by("-count")
    return [(code, reason_words(code), count, asked.address(reason=code)) for code, count in rows]


def _product_name(tenant: Tenant, key: str) -> str:
    found = Product.objects.for_tenant(tenant).filter(key=key).values_list("name", flat=True).first()
    return str(found or key)


def _context(request: TenantRequest) -> dict[str, Any]:
    asked = Asked.of(request.GET)
    letters = letters_of(request.tenant, asked).select_related("device", "product")
    shown = page(letters, "-received", read_cursor(request.GET.get("cursor", "")))
    reasons = _reasons(request.tenant, asked)
    return {
        "asked": asked,
        "page": shown,
        "letters": [(letter, reason_words(letter.reason)) for letter in shown.rows],
        "end": shown.start + len(shown.rows) - 1,
        "reasons": reasons,
        "total": next((count for code, _words, count, _url in reasons if code == asked.reason), 0)
        if asked.reason
        else sum(count for _code, _words, count, _url in reasons),
        "product_name": _product_name(request.tenant, asked.product) if asked.product else "",
        "here": asked.address(),
        "without": {name: asked.address(**{name: ""}) for name in Asked._fields},
    } | runs_of(request.tenant)


@tenant_page()
def dead_letters(request: TenantRequest) -> HttpResponseBase:
    """The list."""
    return render(request, "letters/list.html", _context(request))


@tenant_page()
def dead_letter(request: TenantRequest, pk: int) -> HttpResponseBase:
    """One letter with all its bytes."""
    letter = get_object_or_404(DeadLetterRecord.objects.for_tenant(request.tenant).select_related("device", "product"), pk=pk)
    payload = bytes(letter.payload)
    context = {"letter": letter, "words": reason_words(letter.reason), "advice": advice(letter.reason)} | _adoption(request, letter)
    return render(request, "letters/one.html", context | {"payload": payload[:SHOWN_BYTES], "length": len(payload)})


def _adoption(request: TenantRequest, letter: DeadLetterRecord) -> dict[str, Any]:
    """The gateway that spoke for an unknown child, and what the child may be, for who may make devices."""
    gateway = adoption.gateway_of(letter) if request.role.allows(Role.ADMIN) else None
    if gateway is None:
        return {"gateway": None}
    known = Device.objects.for_tenant(request.tenant).filter(key=letter.key).first()
    products = [] if known else list(Product.objects.for_tenant(request.tenant).order_by("name"))
    return {"gateway": gateway, "known": known, "products": products, "proposed": gateway.product.child_product_id}


@require_POST
@tenant_page(Role.ADMIN)
def adopt_child(request: TenantRequest, pk: int) -> HttpResponseBase:
    """Make or move the child below its gateway, and replay its letters."""
    letter = get_object_or_404(DeadLetterRecord.objects.for_tenant(request.tenant), pk=pk)
    product = Product.objects.for_tenant(request.tenant).filter(key=request.POST.get("product", "").replace("\x00", "")).first()
    try:
        device, done = adoption.adopt(letter, product=product, adopted_by=request.user)
    except ApiError as error:
        messages.error(request, error.message)
        return redirect("dead-letter", pk)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("dead-letter", pk)
    words = {"name": device.name, "replayed": done.replayed, "failed": done.failed}
    messages.success(request, _("“%(name)s” is below its gateway: %(replayed)s accepted, %(failed)s refused again") % words)
    tell_waiting(request, done)
    return redirect(device.get_absolute_url())


def _replay(request: TenantRequest, letters: DeadLetterSet) -> None:
    try:
        replayed, failed = replay(letters)
    except Unavailable:
        messages.error(request, _("The database is not available now; nothing is lost. Try again in a moment."))
        return
    tell(request, Replayed(replayed, failed))


@require_POST
@tenant_page(Role.OPERATOR)
def replay_one(request: TenantRequest, pk: int) -> HttpResponseBase:
    """Replay one letter; it keeps its own time."""
    letters = DeadLetterRecord.objects.for_tenant(request.tenant).filter(pk=pk)
    get_object_or_404(letters)
    _replay(request, letters)
    return redirect("dead-letter", pk)


@require_POST
@tenant_page(Role.OPERATOR)
def replay_many(request: TenantRequest) -> HttpResponseBase:
    """Replay what the list shows under its filters, the oldest first, or what was selected."""
    asked = Asked.of(QueryDict(request.POST.get("back", "").removeprefix("?")))._replace(view="")
    letters = letters_of(request.tenant, asked)
    if chosen := [int(pk) for pk in request.POST.getlist("letter") if pk.isdecimal() and len(pk) < 19]:
        letters = letters.filter(pk__in=chosen)
    tell(request, replay_all(letters, tenant=request.tenant, started_by=request.user))
    return redirect("/dead-letters/" + asked.address())
