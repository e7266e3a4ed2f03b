"""Jobs and how they went; they are started and steered on their own pages."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter

from devices.jobs import KINDS, verbs
from devices.models import Job
from iotpanel.tenants.admin.base import ReadOnlyAdmin

from . import marks


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "what", "shown_state", "wave", "started", "finished", "person")
    list_filter = (("state", ChoicesDropdownFilter), ("created_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("person",)
    search_fields = ("name", "kind")
    fields = (("name", "kind"), ("state", "reason"), "counts", ("wave", "waves"), "shown_spec", "shown_target", "shown_rollout", "person")

    def get_readonly_fields(self, request: Any, obj: Any = None) -> list[Any]:
        return [*super().get_readonly_fields(request, obj), "counts", "shown_spec", "shown_target", "shown_rollout"]

    @admin.display(description=gettext_lazy("what is done"))
    def what(self, obj: Job) -> str:
        return KINDS[obj.kind]().describe(obj.spec) if obj.kind in KINDS else ""

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, obj: Job) -> SafeString:
        return format_html('<a href="{}">{}</a>', obj.get_absolute_url(), obj.get_state_display())

    @admin.display(description=gettext_lazy("created at"), ordering="created_at")
    def started(self, obj: Job) -> SafeString | str:
        return marks.moment(obj.created_at)

    @admin.display(description=gettext_lazy("finished at"), ordering="finished_at")
    def finished(self, obj: Job) -> SafeString | str:
        return marks.moment(obj.finished_at)

    @admin.display(description=gettext_lazy("devices"))
    def counts(self, obj: Job) -> str:
        return ", ".join(f"{state}: {number}" for state, number in verbs.counts(obj).items() if number)

    @admin.display(description=gettext_lazy("what is done"))
    def shown_spec(self, obj: Job) -> SafeString:
        return marks.sheet(obj.spec)

    @admin.display(description=gettext_lazy("devices"))
    def shown_target(self, obj: Job) -> SafeString:
        return marks.sheet(obj.target)

    @admin.display(description=gettext_lazy("rollout"))
    def shown_rollout(self, obj: Job) -> SafeString:
        return marks.sheet(obj.rollout)
