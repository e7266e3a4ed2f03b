"""What stands around every tab of the device page: name, state, tabs with their counts."""

from datetime import timedelta
from typing import Any, NamedTuple, cast

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from devices.models import Command, Device
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest
from telemetry.models import Event
from telemetry.views.letters import letters_of

DAY = timedelta(days=1)


class Tab(NamedTuple):
    """One tab; `behind` counts what waits behind it, None where there is nothing to count."""

    url: str
    label: str
    behind: int | None
    current: bool


def state_of(device: Device) -> str:
    """online, offline, never or disabled: the marks' words."""
    if not device.enabled:
        return "disabled"
    if device.presence.online:
        return "online"
    return "offline" if device.presence.last_seen else "never"


def tabs(device: Device, current: str) -> list[Tab]:
    """The tabs with what waits behind them."""
    events = Event.objects.filter(device_id=device.pk, at__gte=timezone.now() - DAY).count()
    found = [
        ("device", _("Now"), None),
        ("device-tab-events", _("Events"), events or None),
        ("device-tab-frames", _("Frames"), None),
        ("device-tab-letters", _("Dead letters"), letters_of(device).count() or None),
        ("device-tab-commands", _("Commands"), Command.objects.filter(device=device, finished_at=None).count() or None),
        ("device-tab-shadow", _("Shadow"), None),
        ("device-tab-attributes", _("Attributes"), None),
        ("device-tab-connect", _("Connect"), None),
    ]
    return [Tab(reverse(name, args=[device.key]), label, count, name == current) for name, label, count in found]


def edit_address(request: HttpRequest, device: Device) -> str:
    """Where the record is edited, for those who may; empty for the others."""
    mine = cast(TenantRequest, request)
    if not mine.user.is_staff or not mine.role.allows(Role.ADMIN):
        return ""
    try:
        return reverse("admin:devices_device_change", args=[device.pk])
    except NoReverseMatch:
        return ""


def around(request: HttpRequest, device: Device, current: str) -> dict[str, Any]:
    """The context that every tab shares."""
    role = cast(TenantRequest, request).role
    return {
        "device": device,
        "presence": device.presence,
        "state": state_of(device),
        "tabs": tabs(device, current),
        "edit_address": edit_address(request, device),
        "may_operate": role.allows(Role.OPERATOR),
        "may_edit": role.allows(Role.ADMIN),
        "now_ms": int(timezone.now().timestamp() * 1000),
    }
