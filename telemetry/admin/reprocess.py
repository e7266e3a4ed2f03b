"""Runs that decode archived messages anew: started, watched, cancelled."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from devices.admin import marks
from iotpanel.tenants.admin.base import TenantModelAdmin, VerbForm
from iotpanel.tenants.models import Role, User
from telemetry import reprocess, tasks
from telemetry.models import ReprocessRun


class RunForm(VerbForm):
    """A stretch of time; its end may be left out."""

    class Meta:
        model = ReprocessRun
        fields = ("product", "device", "since", "until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "until" in self.fields:
            self.fields["until"].required = False
            self.fields["until"].help_text = _("Empty: now.")


@admin.register(ReprocessRun)
class ReprocessRunAdmin(TenantModelAdmin):
    form = RunForm
    tenant_path = "product__tenant"
    add_role = Role.OPERATOR
    change_role = None
    delete_role = Role.OPERATOR
    list_display = ("shown_product", "since", "until", "state", "messages", "stored", "unchanged", "failed", "started")
    list_display_links = ("since",)
    list_filter = (("product", AutocompleteSelectFilter), ("state", ChoicesDropdownFilter))
    list_select_related = ("product", "device")
    autocomplete_fields = ("product", "device")
    fields = ("product", "device", ("since", "until"))
    readonly_fields = ("state", "messages", "stored", "unchanged", "failed", "created_at", "finished_at")
    actions = ("cancel",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_fields(request, obj)
        return shown if obj is None else (*shown, "state", ("messages", "stored", "unchanged", "failed"), ("created_at", "finished_at"))

    @admin.display(description=_("product"), ordering="product__name")
    def shown_product(self, obj: ReprocessRun) -> SafeString:
        return marks.to_product(obj.product)

    @admin.display(description=_("started at"), ordering="created_at")
    def started(self, obj: ReprocessRun) -> SafeString | str:
        return marks.moment(obj.created_at)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return self.permits(request, Role.OPERATOR, None)

    @admin.action(description=_("Cancel"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[ReprocessRun]) -> None:
        for run in self.only_permitted(request, queryset, Role.OPERATOR):
            reprocess.cancel(run)

    def create(self, request: HttpRequest, values: dict[str, Any]) -> ReprocessRun:
        person = request.user if isinstance(request.user, User) else None
        run = reprocess.start(values.pop("product"), started_by=person, **values)
        tasks.soon(tasks.reprocess_archived)
        return run
