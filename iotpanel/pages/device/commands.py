"""The Commands tab: a form made of the thing model, what became of each command, and taking back what waits."""

from typing import Any, NamedTuple, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from devices.downlink import commands
from devices.models import Command, CommandState, Device
from iotpanel.api.errors import ApiError
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest, tenant_page
from telemetry.tiles import model_of
from telemetry.views.device import device_of

from .command_form import order_of
from .frame import around

PAGE = 50
TONES = {"succeeded": "good", "failed": "major", "timed_out": "major", "expired": "major"}
UNDER_WAY = ("sent", "delivered")


class Row(NamedTuple):
    """A command as it is drawn: `tone` is its badge's, `took` seconds from the sending to the end."""

    command: Command
    label: str
    tone: str
    spins: bool
    took: float | None
    may_cancel: bool


@require_safe
@never_cache
@tenant_page()
def command_list(request: HttpRequest, key: str) -> HttpResponse:
    """The whole tab."""
    device = device_of(request, key)
    context = around(request, device, "device-tab-commands") | page_of(request, device)
    return render(request, "devices/detail/commands.html", context | {"types": list(model_of(device.product).commands.values())})


@require_safe
@never_cache
@tenant_page()
def command_rows(request: HttpRequest, key: str) -> HttpResponse:
    """The table anew."""
    device = device_of(request, key)
    return render(request, "devices/detail/command_table.html", {"device": device} | page_of(request, device))


@require_POST
@never_cache
@tenant_page(Role.OPERATOR)
def send(request: HttpRequest, key: str) -> HttpResponse:
    """Sends what the form holds: the table anew, with what was wrong on top."""
    device = device_of(request, key)
    problem, sent = "", None
    try:
        sent = commands.send(device, person=cast(TenantRequest, request).user, **order_of(device, request.POST))
    except ApiError as error:
        problem = error.message
    context = {"device": device, "problem": problem, "sent": sent} | page_of(request, device)
    return render(request, "devices/detail/command_table.html", context, status=422 if problem else 200)


@require_POST
@never_cache
@tenant_page(Role.OPERATOR)
def cancel(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Takes one back that was not sent yet."""
    device = device_of(request, key)
    if pk >= 2**63:
        raise Http404
    command = cast(Command, get_object_or_404(Command.objects.for_tenant(device.tenant).filter(device=device), pk=pk))
    problem = ""
    try:
        commands.cancel(command, person=cast(TenantRequest, request).user)
    except ApiError as error:
        problem = error.message
    return render(request, "devices/detail/command_table.html", {"device": device, "problem": problem} | page_of(request, device))


def page_of(request: HttpRequest, device: Device) -> dict[str, Any]:
    """The commands of a page, newest first; `before` is the id behind which it begins.

    `tried`: one is on its way to a device that may not be there; that it waits again is no change of its state, and told to nobody.
    """
    found = Command.objects.for_tenant(device.tenant).filter(device=device).select_related("person")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    rows = list(found.order_by("-pk")[: PAGE + 1])
    names = model_of(device.product).commands
    shown = [_row(command, names[command.name].name if command.name in names else command.name) for command in rows[:PAGE]]
    following = str(rows[PAGE - 1].pk) if len(rows) > PAGE else ""
    tried = any(command.in_flight and command.state == CommandState.QUEUED for command in rows[:PAGE])
    may_operate = cast(TenantRequest, request).role.allows(Role.OPERATOR)
    return {"rows": shown, "following": following, "before": before, "may_operate": may_operate, "tried": tried and not before}


def _row(command: Command, label: str) -> Row:
    took = (command.finished_at - command.sent_at).total_seconds() if command.finished_at and command.sent_at else None
    waiting = command.state == CommandState.QUEUED and not command.in_flight
    return Row(
        command=command,
        label=label,
        tone=TONES.get(command.state, ""),
        spins=not command.final and (command.state in UNDER_WAY or command.in_flight),
        took=took if command.state != "sent" else None,
        may_cancel=waiting and not command.final,
    )
