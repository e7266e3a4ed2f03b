"""What stands around alarms, in the admin: maintenance windows, on-call rotations, and the notices on the pages."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RangeDateTimeFilter

from devices.admin import marks
from iotpanel.tenants.admin.base import ReadOnlyAdmin, TenantModelAdmin, VerbForm
from rules import mutes, rotations
from rules.models import Maintenance, Notice, Rotation

from . import looks
from .nested import NestedForm


class MaintenanceForm(NestedForm):
    nested = {"scope": "scope."}

    class Meta:
        model = Maintenance
        fields = ("tenant", "name", "scope", "starts_at", "ends_at")


@admin.register(Maintenance)
class MaintenanceAdmin(TenantModelAdmin):
    form = MaintenanceForm
    conflict_field = "name"
    list_display = ("name", "state", "scope", "starts_at", "ends_at")
    list_filter = (("starts_at", RangeDateTimeFilter),)
    list_filter_submit = True
    search_fields = ("name",)

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Maintenance:
        return mutes.create_maintenance(values.pop("tenant"), **values)

    def update(self, request: HttpRequest, obj: Maintenance, changes: dict[str, Any]) -> None:
        mutes.update_maintenance(obj, **changes)

    def remove(self, request: HttpRequest, obj: Maintenance) -> None:
        mutes.delete_maintenance(obj)

    @admin.display(description=gettext_lazy("state"))
    def state(self, obj: Maintenance) -> SafeString | str:
        return looks.badge(_("now"), "accent") if Maintenance.objects.now().filter(pk=obj.pk).exists() else ""


class RotationForm(VerbForm):
    class Meta:
        model = Rotation
        fields = ("tenant", "key", "name", "people", "period", "starts_at")


@admin.register(Rotation)
class RotationAdmin(TenantModelAdmin):
    form = RotationForm
    list_display = ("name", "key", "on_call", "people", "period", "starts_at")
    search_fields = ("name", "key")

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Rotation:
        return rotations.create_rotation(values.pop("tenant"), **values)

    def update(self, request: HttpRequest, obj: Rotation, changes: dict[str, Any]) -> None:
        rotations.update_rotation(obj, **changes)

    def remove(self, request: HttpRequest, obj: Rotation) -> None:
        rotations.delete_rotation(obj)

    @admin.display(description=gettext_lazy("on call now"))
    def on_call(self, obj: Rotation) -> SafeString | str:
        person = rotations.on_call(obj.tenant_id, obj.key)
        return person.username if person else looks.badge(_("nobody"), "critical")


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("title", "sent")
    list_filter = (("at", RangeDateTimeFilter),)
    list_filter_submit = True
    search_fields = ("title", "text")
    fields = ("title", "text", "at", "read_at")

    @admin.display(description=gettext_lazy("time"), ordering="at")
    def sent(self, obj: Notice) -> SafeString | str:
        return marks.moment(obj.at)
