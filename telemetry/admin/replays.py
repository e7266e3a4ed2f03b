"""Replays of dead letters that go on in the background: watched, cancelled."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from devices.admin import marks
from iotpanel.tenants.admin.base import ReadOnlyAdmin
from iotpanel.tenants.models import Role
from telemetry.models import ReplayRun
from telemetry.uplink import replay_runs


@admin.register(ReplayRun)
class ReplayRunAdmin(ReadOnlyAdmin):
    list_display = ("started", "state", "total", "done", "replayed", "failed", "finished")
    list_filter = (("state", ChoicesDropdownFilter),)
    fields = ("state", ("total", "done", "replayed", "failed"), ("created_at", "finished_at"))
    actions = ("cancel",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("letters")

    @admin.display(description=_("started at"), ordering="created_at")
    def started(self, obj: ReplayRun) -> SafeString | str:
        return marks.moment(obj.created_at)

    @admin.display(description=_("finished at"), ordering="finished_at")
    def finished(self, obj: ReplayRun) -> SafeString | str:
        return marks.moment(obj.finished_at)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return self.permits(request, Role.OPERATOR, None)

    @admin.action(description=_("Cancel"), permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[ReplayRun]) -> None:
        for run in self.only_permitted(request, queryset, Role.OPERATOR):
            replay_runs.cancel(run)
