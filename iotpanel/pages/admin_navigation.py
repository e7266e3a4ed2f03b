"""The admin's sidebar: the pages' groups, each person's own entries only."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from telemetry.models import DeadLetterRecord

Group = tuple[str, list[tuple[str, str, str]]]


def _groups() -> list[Group]:
    """Title, then label, icon and `app_model` of each entry."""
    fleet = [(_("Devices"), "sensors", "devices_device"), (_("Products"), "deployed_code", "devices_product")]
    fleet += [(_("Firmware"), "system_update_alt", "devices_firmware"), (_("Commands"), "send", "devices_command")]
    fleet += [(_("Jobs"), "checklist", "devices_job"), (_("Serial numbers"), "pin", "devices_serial")]
    fleet += [(_("Registration"), "how_to_reg", "devices_registrationpolicy"), (_("Claim codes"), "qr_code_2", "devices_claim")]
    fleet += [(_("Certificates"), "verified_user", "devices_devicecertificate"), (_("Shadows"), "compare", "devices_shadow")]
    people = [(_("Tenants"), "domain", "tenants_tenant"), (_("Members"), "group", "tenants_membership")]
    people += [(_("API keys"), "key", "tenants_apikey"), (_("People"), "person", "tenants_user")]
    signing_in = [(_("Failed sign-ins"), "gpp_maybe", "axes_accessattempt"), (_("Sign-ins"), "login", "axes_accesslog")]
    signing_in += [(_("Sign-on providers"), "passkey", "socialaccount_socialapp")]
    system = [(_("Scheduled tasks"), "schedule", "django_celery_beat_periodictask")]
    return [
        (_("Fleet"), [*fleet, (_("Groups"), "account_tree", "devices_group")]),
        (_("Data"), [(_("Dead letters"), "mark_email_unread", "telemetry_deadletterrecord"), *_outside()]),
        (_("Logic"), _logic()),
        (_("Access"), [*people, (_("Audit log"), "history", "auditlog_logentry")]),
        (_("System"), [*signing_in, *system]),
    ]


def _logic() -> list[tuple[str, str, str]]:
    """What happens by itself, and who is told."""
    alarms = [(_("Rules"), "rule", "rules_rule"), (_("Alarms"), "notifications_active", "rules_alarm")]
    alarms += [(_("Maintenance"), "build_circle", "rules_maintenance"), (_("On call"), "contact_phone", "rules_rotation")]
    return [*alarms, (_("Notices"), "inbox", "rules_notice")]


def _outside() -> list[tuple[str, str, str]]:
    """What goes to other systems and to people."""
    adapted = [(_("Forwarders"), "forward", "rules_forwarder"), (_("Channels"), "campaign", "rules_channel")]
    return [*adapted, (_("Outbox"), "outbox", "rules_outboxitem"), (_("Deliveries"), "outgoing_mail", "rules_delivery")]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's `SIDEBAR.navigation`: only what this person may open."""
    pages = {"title": "", "items": [{"title": _("Back to the pages"), "icon": "arrow_back", "link": "/", "active": False}]}
    shown = [{"title": title, "separator": False, "items": _items(request, entries)} for title, entries in _groups()]
    return [pages, *(group for group in shown if group["items"])]


def _items(request: HttpRequest, entries: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    allowed = {f"{model._meta.app_label}_{model._meta.model_name}": each for model, each in admin.site._registry.items()}
    items = []
    for label, icon, name in entries:
        if name in allowed and allowed[name].has_module_permission(request) and allowed[name].has_view_permission(request):
            items.append({"title": label, "icon": icon, "link": reverse(f"admin:{name}_changelist")} | _badge(request, name))
    return items


def _badge(request: HttpRequest, name: str) -> dict[str, Any]:
    count = _BADGES[name](request) if name in _BADGES else 0
    return {"badge": str(count)} if count else {}


def _open_letters(request: HttpRequest) -> int:
    """Counted up to a thousand: beyond that the number is no news."""
    return DeadLetterRecord.objects.for_user(request.user).open()[:1000].count()  # type: ignore[arg-type]


_BADGES: dict[str, Callable[[HttpRequest], int]] = {"telemetry_deadletterrecord": _open_letters}
