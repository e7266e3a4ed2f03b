"""Shadows, for looking: which devices are not as they should be, and how each became what it is. They are changed on the device's page."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast, Left
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RadioFilter, RangeDateTimeFilter

from devices.models import Shadow, ShadowStep
from iotpanel.tenants.admin.base import ReadOnlyAdmin

from . import marks

LENGTH, PATCH = 60, 300  # characters of the JSON in a list, and of a step's
STEPS = 50
PARTS = {"desired": gettext_lazy("desired"), "reported": gettext_lazy("reported"), "shared": gettext_lazy("shared attributes")}


def beginning(field: str, length: int) -> Left:
    """A JSON column's first characters and one more: whole parts have up to 256 KB each."""
    return Left(Cast(field, TextField()), length + 1)


class StateFilter(RadioFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("differs", gettext_lazy("differs")), ("waits", gettext_lazy("not sent yet")), ("same", gettext_lazy("in sync"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "differs":
                return queryset.exclude(delta={})
            case "waits":
                return queryset.filter(~Q(wanted=""))
            case "same":
                return queryset.filter(delta={})
        return None


@admin.register(Shadow)
class ShadowAdmin(ReadOnlyAdmin):
    tenant_path = "device__tenant"
    list_display = ("shown_key", "version", "shown_delta", "waits", "changed", "sent")
    list_filter = (StateFilter, ("device__product", AutocompleteSelectFilter), ("changed_at", RangeDateTimeFilter))
    list_filter_submit = True
    ordering = ("-changed_at", "pk")
    search_fields = ("device__key", "device__name")
    fields = (
        ("shown_device", "page"),
        ("version", "waits"),
        ("changed_at", "sent_at"),
        *("desired_sheet", "reported_sheet", "delta_sheet", "shared_sheet", "steps"),
    )
    readonly_fields = ("shown_device", "page", "waits", "desired_sheet", "reported_sheet", "delta_sheet", "shared_sheet", "steps")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found = super().get_queryset(request).select_related("device__tenant")
        return found.defer("desired", "reported", "shared", "delta").annotate(short=beginning("delta", LENGTH))

    @admin.display(description=gettext_lazy("device"), ordering="device__key")
    def shown_key(self, obj: Shadow) -> str:
        return str(obj.device.key)

    @admin.display(description=gettext_lazy("device"))
    def shown_device(self, obj: Shadow) -> SafeString:
        return marks.to_device(obj.device)

    @admin.display(description=gettext_lazy("its own page"))
    def page(self, obj: Shadow) -> SafeString:
        """In the device's own tenant, whichever one the person works in."""
        address = reverse("device-tab-shadow", args=[obj.device.key])
        return format_html('<a class="underline" href="{}?tenant={}">{}</a>', address, obj.device.tenant.key, _("Shadow"))

    @admin.display(description=gettext_lazy("difference"))
    def shown_delta(self, obj: Any) -> SafeString:
        return marks.badge(_("in sync"), "good") if obj.short == "{}" else _code(obj.short, LENGTH)

    @admin.display(description=gettext_lazy("to be sent"), ordering="wanted")
    def waits(self, obj: Shadow) -> SafeString:
        return marks.badge(obj.get_wanted_display(), "minor" if obj.wanted else "")

    @admin.display(description=gettext_lazy("changed at"), ordering="changed_at")
    def changed(self, obj: Shadow) -> SafeString | str:
        return marks.moment(obj.changed_at)

    @admin.display(description=gettext_lazy("sent at"), ordering="sent_at")
    def sent(self, obj: Shadow) -> SafeString | str:
        return marks.moment(obj.sent_at)

    @admin.display(description=gettext_lazy("desired"))
    def desired_sheet(self, obj: Shadow) -> SafeString:
        return marks.sheet(obj.desired)

    @admin.display(description=gettext_lazy("reported"))
    def reported_sheet(self, obj: Shadow) -> SafeString:
        return marks.sheet(obj.reported)

    @admin.display(description=gettext_lazy("difference"))
    def delta_sheet(self, obj: Shadow) -> SafeString:
        return marks.sheet(obj.delta)

    @admin.display(description=gettext_lazy("shared attributes"))
    def shared_sheet(self, obj: Shadow) -> SafeString:
        return marks.sheet(obj.shared)

    @admin.display(description=gettext_lazy("history"))
    def steps(self, obj: Shadow) -> SafeString:
        """The newest ones: when, who, which part, and the patch."""
        found = ShadowStep.objects.filter(device=obj.device_id).select_related("person").defer("patch", "whole")
        newest = found.annotate(short=beginning("patch", PATCH)).order_by("-version")[:STEPS]
        rows = (
            (each.version, marks.moment(each.at), each.person or "–", PARTS.get(each.part, each.part), _code(each.short, PATCH))
            for each in newest
        )
        line = "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"
        return format_html("<table>{}</table>", format_html_join("", line, rows))


def _code(text: str, length: int) -> SafeString:
    return format_html("<code>{}</code>", text if len(text) <= length else text[:length] + "…")
