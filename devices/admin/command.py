"""Commands: what devices were told to do and what became of it; those that wait can be taken back."""

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateTimeFilter

from devices.downlink import commands
from devices.models import Command
from iotpanel.api.errors import ApiError
from iotpanel.tenants.admin.base import ReadOnlyAdmin
from iotpanel.tenants.models import Role

from . import marks

TONES = {"succeeded": "good", "failed": "major", "timed_out": "major", "expired": "major"}
LENGTH = 80


@admin.register(Command)
class CommandAdmin(ReadOnlyAdmin):
    tenant_path = "device__tenant"
    list_display = ("shown_name", "shown_device", "shown_params", "shown_state", "queued", "finished", "person")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("device", AutocompleteSelectFilter),
        ("created_at", RangeDateTimeFilter),
    )
    list_filter_submit = True
    list_select_related = ("device", "person")
    search_fields = ("name", "device__key", "error")
    actions = ("cancel_many",)
    fields = (
        ("name", "shown_device"),
        ("state", "reason"),
        "error",
        "params",
        "result",
        ("priority", "replace_key", "idempotent"),
        ("attempts", "timeout", "waits"),
        ("created_at", "expires_at"),
        ("sent_at", "finished_at"),
        "person",
        "steps",
    )
    readonly_fields = ("shown_device", "steps")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("device", "person")

    def has_cancel_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.permits(request, Role.OPERATOR, obj))

    @admin.action(description=gettext_lazy("Cancel those that wait"), permissions=["cancel"])
    def cancel_many(self, request: HttpRequest, queryset: QuerySet[Command]) -> None:
        gone = kept = 0
        for command in self.only_permitted(request, queryset, Role.OPERATOR):
            try:
                commands.cancel(command, person=request.user)  # type: ignore[arg-type]
                gone += 1
            except ApiError:
                kept += 1
        words = _("%(gone)d cancelled; %(kept)d had been sent or had ended.") % {"gone": gone, "kept": kept}
        messages.add_message(request, messages.WARNING if kept else messages.SUCCESS, words)

    @admin.display(description=gettext_lazy("command"), ordering="name")
    def shown_name(self, obj: Command) -> str:
        return obj.name

    @admin.display(description=gettext_lazy("device"), ordering="device__key")
    def shown_device(self, obj: Command) -> SafeString | str:
        return marks.to_device(obj.device)

    @admin.display(description=gettext_lazy("parameters"))
    def shown_params(self, obj: Command) -> SafeString | str:
        text = json.dumps(obj.params, ensure_ascii=False) if obj.params else "–"
        return format_html("<code>{}</code>", text if len(text) <= LENGTH else text[:LENGTH] + "…")

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, obj: Command) -> SafeString:
        return format_html(
            '<span class="badge" data-tone="{}" title="{}">{}</span>', TONES.get(obj.state, ""), obj.error, obj.get_state_display()
        )

    @admin.display(description=gettext_lazy("created at"), ordering="created_at")
    def queued(self, obj: Command) -> SafeString | str:
        return marks.moment(obj.created_at)

    @admin.display(description=gettext_lazy("finished at"), ordering="finished_at")
    def finished(self, obj: Command) -> SafeString | str:
        return marks.moment(obj.finished_at)

    @admin.display(description=gettext_lazy("history"))
    def steps(self, obj: Command) -> SafeString:
        return format_html('<pre class="snippet-block">{}</pre>', json.dumps(obj.history, indent=1))
