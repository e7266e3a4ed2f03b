"""Forwarders: where data are sent on to."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from iotpanel.api.fields import ObjectField
from rules.forwarders import FORWARDERS, records
from rules.forwarders.trying import Tried, send_test
from rules.models import Forwarder, Stream

from .adapted import AdaptedSerializer, AdaptedViewSet


class ForwarderSerializer(AdaptedSerializer):
    records = records

    kind = serializers.ChoiceField([*FORWARDERS])
    stream = serializers.ChoiceField([value for value, _ in Stream.choices], required=False, allow_blank=True)
    scope = ObjectField(required=False, help_text="`product`, `group`, `devices`, `labels`; empty: all devices.")
    template = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, max_length=65_536)

    when_absent: dict[str, Any] = {"enabled": True, "settings": {}, "stream": "readings", "scope": {}, "template": ""}


@extend_schema_view(destroy=extend_schema(description="With what waits for it."))
class ForwardersViewSet(AdaptedViewSet):
    """Where a tenant's data are sent on to, which of them, and in what shape; with how each of them does."""

    resource = "forwarders"
    serializer_class = ForwarderSerializer
    queryset = Forwarder.objects.all()
    table = FORWARDERS
    records = records

    def create_object(self, values: dict[str, Any]) -> tuple[Forwarder, dict[str, Any]]:
        return records.create_forwarder(self.tenant, **values), {}

    def update_object(self, instance: Forwarder, values: dict[str, Any]) -> Forwarder:
        return records.update_forwarder(instance, **values)

    def delete_object(self, instance: Forwarder) -> None:
        records.delete_forwarder(instance)

    def send_test(self, instance: Forwarder) -> Tried:
        return send_test(instance)
