"""Devices: the main tool of those who run a fleet."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from devices import provisioning
from devices.models import Credential, Device, Group
from iotpanel.tenants.admin.base import TenantModelAdmin

from . import marks
from .device_actions import DeviceActions, show_secret
from .device_exchange import DeviceExchange
from .device_filters import CredentialFilter, GroupFilter, LabelFilter, PresenceFilter
from .device_form import DeviceForm

# Parts of the page that upper apps fill: each is given a device and returns rows of (label, value).
Panel = Callable[[Device], list[tuple[Any, Any]]]
CHILDREN_SHOWN = 100


@admin.register(Device)
class DeviceAdmin(DeviceExchange, DeviceActions, TenantModelAdmin):
    form = DeviceForm
    panels: list[tuple[Any, Panel]] = []
    list_display = ("shown_name", "key", "status", "shown_product", "gateway", "shown_groups", "shown_labels", "last_seen")
    list_display_links = ("shown_name",)
    list_filter = (PresenceFilter, ("product", AutocompleteSelectFilter), GroupFilter, LabelFilter, CredentialFilter)
    list_filter_submit = True
    search_fields = ("key", "name", "product__name")
    search_help_text = gettext_lazy("Key, name or product")
    autocomplete_fields = ("product", "parent", "groups")
    actions = ("enable", "disable", "move_to_group", "set_product", "rotate_many", "revoke_many", "export_chosen")
    actions_detail = ("rotate", "revoke")
    readonly_fields = ("status", "last_seen", "clock_offset", "credentials", "certificates", "children_shown", "created_at", "updated_at")
    change_form_outer_after_template = "admin/iotpanel/device_panels.html"
    _place = (("latitude", "longitude"),)
    _registry = (("tenant", "key"), "name", "product", "parent", "groups", "labels", *_place, ("rate_limit", "rate_burst"), "enabled")
    add_fieldsets = ((None, {"fields": _registry}),)
    fieldsets = (
        (None, {"fields": (("status", "last_seen"), *_registry)}),
        (
            gettext_lazy("Connection"),
            {"fields": ("credentials", "certificates", "clock_offset", "children_shown", ("created_at", "updated_at"))},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        groups = Prefetch("groups", Group.objects.only("name"))
        return super().get_queryset(request).select_related("product", "parent", "presence", "tenant").prefetch_related(groups)

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def shown_name(self, obj: Device) -> str:
        return obj.name

    @admin.display(description=gettext_lazy("status"), ordering="presence__online")
    def status(self, obj: Device) -> SafeString:
        return marks.status(obj)

    @admin.display(description=gettext_lazy("product"), ordering="product__name")
    def shown_product(self, obj: Device) -> SafeString:
        return marks.to_product(obj.product)

    @admin.display(description=gettext_lazy("gateway"), ordering="parent__name")
    def gateway(self, obj: Device) -> SafeString | str:
        return marks.to_device(obj.parent) if obj.parent else "–"

    @admin.display(description=gettext_lazy("groups"))
    def shown_groups(self, obj: Device) -> str:
        return ", ".join(sorted(group.name for group in obj.groups.all()))

    @admin.display(description=gettext_lazy("labels"))
    def shown_labels(self, obj: Device) -> SafeString:
        return marks.labels(obj)

    @admin.display(description=gettext_lazy("last seen"), ordering="presence__last_seen")
    def last_seen(self, obj: Device) -> SafeString | str:
        return marks.moment(getattr(getattr(obj, "presence", None), "last_seen", None))

    @admin.display(description=gettext_lazy("clock offset"))
    def clock_offset(self, obj: Device) -> str:
        offset = getattr(getattr(obj, "presence", None), "clock_offset", None)
        return "–" if offset is None else _("%(seconds)+.1f s") % {"seconds": offset}

    @admin.display(description=gettext_lazy("credentials"))
    def credentials(self, obj: Device) -> SafeString | str:
        """Never the secret, which nobody has; since when, and what came before."""
        rows = [(_credential_state(item), marks.moment(item.created_at)) for item in obj.credentials.all()[:5]]
        return format_html_join("", "<div>{} {}</div>", rows) if rows else _("None. Rotate the secret to make some.")

    @admin.display(description=gettext_lazy("certificates"))
    def certificates(self, obj: Device) -> SafeString | str:
        """By serial number and end; they are issued and revoked on the device's page."""
        rows = [(item.serial[:16], item.not_after.date(), _("revoked") if item.revoked_at else "") for item in obj.certificates.all()[:5]]
        return format_html_join("", "<div>{} → {} {}</div>", rows) if rows else "–"

    @admin.display(description=gettext_lazy("children"))
    def children_shown(self, obj: Device) -> SafeString | str:
        children = obj.children.select_related("presence").order_by("key")
        rows = [(marks.to_device(child), marks.status(child)) for child in children[:CHILDREN_SHOWN]]
        more = children.count() - len(rows)
        rest = format_html('<a href="{}?parent__id__exact={}">{}</a>', _list(), obj.pk, _("and %(count)d more") % {"count": more})
        shown = format_html_join("", '<div class="child">{} {}</div>', rows)
        return format_html("{}{}", shown, rest if more > 0 else "") if rows else "–"

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return lookup in ("product__id__exact", "parent__id__exact") or super().lookup_allowed(lookup, value, request)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        device = self.get_object(request, object_id) if request.method == "GET" else None
        panels = [(title, panel(device)) for title, panel in self.panels] if device is not None else []
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "panels": panels, "device": device})

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Device:
        device, secret = provisioning.create_device(values.pop("tenant"), **values)
        request.shown = secret  # type: ignore[attr-defined]
        return device

    def update(self, request: HttpRequest, obj: Device, changes: dict[str, Any]) -> None:
        provisioning.update_device(obj, **changes)

    def remove(self, request: HttpRequest, obj: Device) -> None:
        provisioning.delete_device(obj)

    def response_add(self, request: HttpRequest, obj: Device, post_url_continue: str | None = None) -> HttpResponse:
        return show_secret(self, request, obj, request.shown)  # type: ignore[attr-defined]


def _credential_state(credential: Credential) -> str:
    if credential.revoked_at is None:
        return _("In force since")
    return _("Accepted until %(time)s, made") % {"time": credential.valid_until} if credential.valid_until else _("Revoked, made")


def _list() -> str:
    return reverse("admin:devices_device_changelist")
