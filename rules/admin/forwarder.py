"""Forwarders: where to, what, in what shape; and how each of them does."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from rules.forwarders import FORWARDERS, records
from rules.forwarders.trying import send_test
from rules.models import Forwarder

from .adapted import AdaptedAdmin, AdaptedForm, kind_filter


class ForwarderForm(AdaptedForm):
    kinds = FORWARDERS

    class Meta:
        model = Forwarder
        fields = ("tenant", "name", "kind", "enabled", "stream", "scope", "template", "settings")


@admin.register(Forwarder)
class ForwarderAdmin(AdaptedAdmin):
    form = ForwarderForm
    list_display = ("name", "kind", "stream", "enabled", "health", "waiting", "counts")
    list_filter = ("enabled", ("stream", ChoicesDropdownFilter), kind_filter(FORWARDERS))
    search_fields = ("name",)
    fields = (
        "tenant",
        "name",
        "kind",
        "enabled",
        "stream",
        "scope",
        "template",
        "settings",
        "secrets",
        "health",
        "waiting",
        "counts",
        "last_error",
    )
    add_fieldsets = ((None, {"fields": ("tenant", "name", "kind", "enabled", "stream", "scope", "template", "settings")}),)

    def target_of(self, obj: Forwarder) -> Any:
        return records.target_of(obj)

    def secrets_of(self, obj: Forwarder) -> list[str]:
        return records.secrets_of(obj)

    def try_out(self, obj: Forwarder) -> Any:
        return send_test(obj)

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Forwarder:
        return records.create_forwarder(values.pop("tenant"), **values)

    def update(self, request: HttpRequest, obj: Forwarder, changes: dict[str, Any]) -> None:
        records.update_forwarder(obj, **changes)

    def remove(self, request: HttpRequest, obj: Forwarder) -> None:
        records.delete_forwarder(obj)
