"""On-call rotations: who is called when, one after the other."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from iotpanel.api.errors import ApiError, Conflict
from iotpanel.tenants.models import Role, User
from iotpanel.tenants.validation import Problems
from iotpanel.tenants.web import TenantRequest, tenant_page
from rules import rotations
from rules.models import Rotation

from .moments import for_input, read_instant

TURNS = 4
SPARE = 3  # empty rows of people in the form
FIELDS = ("key", "name", "period", "starts_at")


class Turn(NamedTuple):
    """From when on who is called; nobody where all of the rotation have left."""

    since: datetime
    person: User | None


def turns(rotation: Rotation, count: int = TURNS) -> list[Turn]:
    """The turn that is now, and the next ones."""
    period = timedelta(days=rotation.period)
    passed = (timezone.now() - rotation.starts_at) // period
    starts = [rotation.starts_at + period * (passed + step) for step in range(count)]
    return [Turn(each, rotations.on_call(rotation.tenant_id, rotation.key, each)) for each in starts]


@tenant_page()
def rotation_list(request: TenantRequest) -> HttpResponseBase:
    rows = [(each, turns(each)) for each in Rotation.objects.for_tenant(request.tenant).order_by("name", "pk")[:200]]
    return render(request, "rotations/list.html", {"rows": rows})


@tenant_page(Role.ADMIN)
def new(request: TenantRequest) -> HttpResponseBase:
    if request.method == "POST":
        return _save(request, None)
    today = timezone.localtime().replace(hour=8, minute=0)
    return _form(request, None, {"key": "", "name": "", "period": "7", "starts_at": for_input(today)}, [])


@tenant_page(Role.ADMIN)
def edit(request: TenantRequest, key: str) -> HttpResponseBase:
    found = _own(request, key)
    if request.method == "POST":
        return _save(request, found)
    values = {"key": found.key, "name": found.name, "period": str(found.period), "starts_at": for_input(found.starts_at)}
    return _form(request, found, values, found.people)


def _own(request: TenantRequest, key: str) -> Rotation:
    found: Rotation = get_object_or_404(Rotation.objects.for_tenant(request.tenant), key=key)
    return found


def _save(request: TenantRequest, found: Rotation | None) -> HttpResponseBase:
    sent, problems = request.POST.dict(), Problems()
    people = [name for name in request.POST.getlist("people") if name]
    period: Any = sent.get("period", "")
    values: dict[str, Any] = {"name": sent.get("name", ""), "people": people}
    values["period"] = int(period) if period.strip().isdecimal() and len(period) < 6 else period
    with problems.of("starts_at"):
        values["starts_at"] = read_instant(sent.get("starts_at", ""))
    try:
        problems.raise_any()
        if found is None:
            rotations.create_rotation(request.tenant, key=sent.get("key", ""), **values)
        else:
            rotations.update_rotation(found, **values)
    except ValidationError as error:
        wrong = {name: " ".join(texts) for name, texts in error.message_dict.items()}
        return _form(request, found, {name: sent.get(name, "") for name in FIELDS}, people, wrong)
    except ApiError as error:
        return _form(request, found, {name: sent.get(name, "") for name in FIELDS}, people, {"key": error.message})
    messages.success(request, _("“%(name)s” is saved") % {"name": values["name"]})
    return redirect("rotations")


def _form(
    request: TenantRequest, found: Rotation | None, values: dict[str, str], people: list[str], problems: dict[str, str] | None = None
) -> HttpResponseBase:
    members = User.objects.filter(memberships__tenant=request.tenant, is_active=True).distinct().order_by("username")[:500]
    context = {
        "one": found,
        "values": values,
        "people": [*people, *[""] * SPARE],
        "members": [(each.username, each.get_full_name() or each.username) for each in members],
        "problems": problems or {},
    }
    return render(request, "rotations/form.html", context, status=400 if problems else 200)


@require_POST
@tenant_page(Role.ADMIN)
def delete(request: TenantRequest, key: str) -> HttpResponseBase:
    """Refused while rules or channels count on it."""
    found = _own(request, key)
    try:
        rotations.delete_rotation(found)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("rotation", key=key)
    messages.success(request, _("“%(name)s” is deleted") % {"name": found.name})
    return redirect("rotations")


urlpatterns = [
    path("", rotation_list, name="rotations"),
    path("-/new/", new, name="rotation-new"),
    path("<str:key>/", edit, name="rotation"),
    path("<str:key>/delete/", delete, name="rotation-delete"),
]
