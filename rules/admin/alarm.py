"""Alarms in the admin: for looking, acknowledging and clearing; what happened to each stays."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RadioFilter, RangeDateTimeFilter

from devices.admin import marks
from iotpanel.tenants.admin.base import ReadOnlyAdmin
from iotpanel.tenants.models import Role
from rules import alarms
from rules.models import Alarm

from . import looks


class StateFilter(RadioFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        names = {"open": gettext_lazy("active"), "unseen": gettext_lazy("not acknowledged"), "shelved": gettext_lazy("shelved")}
        return [*names.items(), ("cleared", gettext_lazy("cleared"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "open":
                return queryset.open()
            case "unseen":
                return queryset.filter(acknowledged_at=None)
            case "shelved":
                return queryset.active().shelved()
            case "cleared":
                return queryset.filter(active=False)
        return None


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyAdmin):
    list_display = ("shown_message", "shown_severity", "shown_state", "shown_device", "rule_name", "raised", "cleared", "assigned_to")
    list_filter = (
        StateFilter,
        ("severity", ChoicesDropdownFilter),
        ("device", AutocompleteSelectFilter),
        ("raised_at", RangeDateTimeFilter),
    )
    list_filter_submit = True
    search_fields = ("message", "rule_name", "device__key", "device__name")
    fields = (
        *("shown_message", "shown_severity", "shown_state", "shown_device", "rule_name", "value", "raised_at", "cleared_at"),
        *("acknowledged_at", "acknowledged_by", "assigned_to", "shelved_until", "level", "history"),
    )
    actions = ("acknowledge", "clear")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("device", "assigned_to", "acknowledged_by")

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.permits(request, Role.OPERATOR, obj)

    @admin.action(description=gettext_lazy("Acknowledge"), permissions=["operate"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alarm]) -> None:
        found = self.only_permitted(request, queryset, Role.OPERATOR).filter(acknowledged_at=None).order_by("pk")
        count = len([alarms.acknowledge(each, by=request.user) for each in found])  # type: ignore[arg-type]
        messages.success(request, _("%(number)d acknowledged") % {"number": count})

    @admin.action(description=gettext_lazy("Clear"), permissions=["operate"])
    def clear(self, request: HttpRequest, queryset: QuerySet[Alarm]) -> None:
        found = self.only_permitted(request, queryset, Role.OPERATOR).filter(active=True).order_by("pk")
        count = len([alarms.clear(each, by=request.user) for each in found])  # type: ignore[arg-type]
        messages.success(request, _("%(number)d cleared") % {"number": count})

    @admin.display(description=gettext_lazy("message"), ordering="message")
    def shown_message(self, obj: Alarm) -> str:
        return str(obj)[:160]

    @admin.display(description=gettext_lazy("severity"), ordering="severity")
    def shown_severity(self, obj: Alarm) -> SafeString:
        return looks.severity(obj)

    @admin.display(description=gettext_lazy("state"), ordering="active")
    def shown_state(self, obj: Alarm) -> SafeString:
        return looks.state(obj)

    @admin.display(description=gettext_lazy("device"), ordering="device__key")
    def shown_device(self, obj: Alarm) -> SafeString:
        return marks.to_device(obj.device)

    @admin.display(description=gettext_lazy("raised at"), ordering="raised_at")
    def raised(self, obj: Alarm) -> SafeString | str:
        return marks.moment(obj.raised_at)

    @admin.display(description=gettext_lazy("cleared at"), ordering="cleared_at")
    def cleared(self, obj: Alarm) -> SafeString | str:
        return marks.moment(obj.cleared_at)

    @admin.display(description=gettext_lazy("history"))
    def history(self, obj: Alarm) -> SafeString:
        rows = obj.events.select_related("person").order_by("-id")[:200]
        lines = ((marks.moment(each.at), each.get_kind_display(), each.person or "", each.text) for each in rows)
        return format_html("<table>{}</table>", format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", lines))
