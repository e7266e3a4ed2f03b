"""Notification channels: how people are told; and how each of them does."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from rules.channels import CHANNELS, records
from rules.channels.trying import send_test
from rules.models import Channel

from .adapted import AdaptedAdmin, AdaptedForm, kind_filter

FIELDS = ("tenant", "name", "kind", "enabled", "settings", "title", "text", "group_wait", "group_interval")


class ChannelForm(AdaptedForm):
    kinds = CHANNELS

    class Meta:
        model = Channel
        fields = FIELDS


@admin.register(Channel)
class ChannelAdmin(AdaptedAdmin):
    form = ChannelForm
    list_display = ("name", "kind", "enabled", "health", "waiting", "counts")
    list_filter = ("enabled", kind_filter(CHANNELS))
    search_fields = ("name",)
    fields = (*FIELDS, "secrets", "health", "waiting", "counts", "last_error")
    add_fieldsets = ((None, {"fields": FIELDS}),)

    def target_of(self, obj: Channel) -> Any:
        return records.target_of(obj)

    def secrets_of(self, obj: Channel) -> list[str]:
        return records.secrets_of(obj)

    def try_out(self, obj: Channel) -> Any:
        return send_test(obj)

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Channel:
        return records.create_channel(values.pop("tenant"), **values)

    def update(self, request: HttpRequest, obj: Channel, changes: dict[str, Any]) -> None:
        records.update_channel(obj, **changes)

    def remove(self, request: HttpRequest, obj: Channel) -> None:
        records.delete_channel(obj)
