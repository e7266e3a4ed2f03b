"""Rules in the admin: their JSON, checked as everywhere, with the field named; the builder is on the pages."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RadioFilter, RangeDateTimeFilter
from unfold.widgets import UnfoldAdminTextareaWidget

from devices.admin import marks
from iotpanel.tenants.admin.base import TenantModelAdmin
from iotpanel.tenants.models import Role
from rules import rules
from rules.models import Rule
from rules.wording import Names, plain, sentence

from . import looks
from .nested import NestedForm

STARTER = {
    "scope": {"product": "…"},
    "when": {"property": "…", "op": ">", "value": 0},
    "actions": [{"kind": "alarm", "severity": "major", "message": "{device}"}],
}
ROWS = 24


class StateFilter(RadioFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        stopped, failing = gettext_lazy("stopped by the platform"), gettext_lazy("failed of late")
        return [("on", gettext_lazy("on")), ("off", gettext_lazy("off")), ("stopped", stopped), ("failing", failing)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = {"on": Q(enabled=True), "off": Q(enabled=False), "stopped": ~Q(disabled_reason=""), "failing": Q(failures__gt=0)}
        return queryset.filter(chosen[self.value()]) if self.value() in chosen else None


class BodyField(forms.JSONField):
    """Indented JSON; nesting without end is no JSON."""

    def __init__(self) -> None:
        widget = UnfoldAdminTextareaWidget(attrs={"class": "is-code", "rows": ROWS, "spellcheck": "false"})
        help_text = gettext_lazy("As /api/v1/rules/schema/ says. The builder on the pages writes the same.")
        super().__init__(label=gettext_lazy("Rule"), help_text=help_text, initial=lambda: STARTER, widget=widget)

    def prepare_value(self, value: Any) -> Any:
        return json.dumps(value, indent=2, ensure_ascii=False) if isinstance(value, dict | list) else super().prepare_value(value)

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except RecursionError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class RuleForm(NestedForm):
    nested = {"body": ""}
    body = BodyField()

    class Meta:
        model = Rule
        fields = ("tenant", "name", "enabled", "body")


@admin.register(Rule)
class RuleAdmin(TenantModelAdmin):
    form = RuleForm
    conflict_field = "name"
    list_display = ("name", "shown_state", "shown_sentence", "active_alarms", "last_error", "updated")
    list_filter = (StateFilter, ("updated_at", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("name",)
    fields = (
        *("tenant", "name", "enabled", "body", "shown_sentence", "failures", "last_error", "shown_reason"),
        *("created_by", "created_at", "updated_at"),
    )
    readonly_fields = ("shown_sentence", "failures", "last_error", "shown_reason", "created_by", "created_at", "updated_at")
    add_fieldsets = ((None, {"fields": ("tenant", "name", "enabled", "body")}),)
    actions = ("switch_on", "switch_off")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(active=Count("alarms", filter=Q(alarms__active=True)))

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Rule:
        return rules.create_rule(values.pop("tenant"), by=request.user, **values)  # type: ignore[arg-type]

    def update(self, request: HttpRequest, obj: Rule, changes: dict[str, Any]) -> None:
        rules.update_rule(obj, **changes)

    def remove(self, request: HttpRequest, obj: Rule) -> None:
        rules.delete_rule(obj)

    def has_switch_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.permits(request, Role.ADMIN, obj)

    @admin.action(description=gettext_lazy("Switch on"), permissions=["switch"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Rule]) -> None:
        self._switch(request, queryset, enabled=True)

    @admin.action(description=gettext_lazy("Switch off"), permissions=["switch"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Rule]) -> None:
        self._switch(request, queryset, enabled=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Rule], *, enabled: bool) -> None:
        """One by one: a rule that is wrong by now is named, and the others are switched."""
        for rule in self.only_permitted(request, queryset, Role.ADMIN).order_by("pk"):
            try:
                rules.update_rule(rule, enabled=enabled)
            except ValidationError as error:
                messages.error(request, f"{rule.name}: {'; '.join(error.messages)}")
        messages.success(request, _("Switched on") if enabled else _("Switched off"))

    @admin.display(description=gettext_lazy("state"), ordering="enabled")
    def shown_state(self, obj: Rule) -> SafeString:
        return looks.switch(obj)

    @admin.display(description=gettext_lazy("in words"))
    def shown_sentence(self, obj: Rule) -> str:
        return plain(sentence(obj.body, Names()))[:300] if obj.pk else ""

    @admin.display(description=gettext_lazy("switched off because"))
    def shown_reason(self, obj: Rule) -> str:
        return obj.stopped_because

    @admin.display(description=gettext_lazy("active alarms"), ordering="active")
    def active_alarms(self, obj: Any) -> SafeString | str:
        return looks.page(f"/alarms/?q={obj.name}", str(obj.active)) if obj.active else "0"

    @admin.display(description=gettext_lazy("updated at"), ordering="updated_at")
    def updated(self, obj: Rule) -> SafeString | str:
        return marks.moment(obj.updated_at)
