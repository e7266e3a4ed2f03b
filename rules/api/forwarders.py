"""Forwarders: where data are sent on to."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from iotpanel.api.fields import ObjectField
from iotpanel.tenants.api.base import TenantViewSet
from iotpanel.tenants.models import Role
from rules.delivery import queue
from rules.forwarders import FORWARDERS, records
from rules.forwarders.trying import send_test
from rules.models import Delivery, Forwarder, Stream

from .health import DeliverySerializer, HealthSerializer, Kind, PutBack, Tried, health_of, kinds_of


class ForwarderSerializer(serializers.Serializer[Forwarder]):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=200)
    kind = serializers.ChoiceField([*FORWARDERS])
    enabled = serializers.BooleanField(required=False)
    settings = ObjectField(required=False, help_text="By the schema of the kind; secrets are taken, and never shown again.")
    secrets = serializers.SerializerMethodField(help_text="Names of the secrets that are set.")
    stream = serializers.ChoiceField([value for value, _ in Stream.choices], required=False, allow_blank=True)
    scope = ObjectField(required=False, help_text="`product`, `group`, `devices`, `labels`; empty: all devices.")
    template = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, max_length=65_536)
    health = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    when_absent: dict[str, Any] = {"enabled": True, "settings": {}, "stream": "readings", "scope": {}, "template": ""}

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_secrets(self, forwarder: Forwarder) -> list[str]:
        return records.secrets_of(forwarder)

    @extend_schema_field(HealthSerializer)
    def get_health(self, forwarder: Forwarder) -> dict[str, Any]:
        return health_of(records.target_of(forwarder))


@extend_schema_view(destroy=extend_schema(description="With what waits for it."))
class ForwardersViewSet(TenantViewSet):
    """Where a tenant's data are sent on to, which of them, and in what shape; with how each of them does."""

    resource = "forwarders"
    serializer_class = ForwarderSerializer
    queryset = Forwarder.objects.all()
    lookup_field = "id"
    lookup_url_kwarg = "id"
    lookup_value_regex = r"[0-9]{1,18}"
    needs = {"put_back": Role.OPERATOR}

    def create_object(self, values: dict[str, Any]) -> tuple[Forwarder, dict[str, Any]]:
        return records.create_forwarder(self.tenant, **values), {}

    def update_object(self, instance: Forwarder, values: dict[str, Any]) -> Forwarder:
        return records.update_forwarder(instance, **values)

    def delete_object(self, instance: Forwarder) -> None:
        records.delete_forwarder(instance)

    @extend_schema(responses=Kind(many=True), filters=False)
    @action(detail=False, methods=["get"], pagination_class=None)
    def kinds(self, request: Request) -> Response:
        """What there is: each kind with the JSON Schema of its settings (`writeOnly`: a secret)."""
        return Response(kinds_of(FORWARDERS))

    @extend_schema(request=None, responses=Tried)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, **kwargs: Any) -> Response:
        """Sends a test message now, and answers the other side's words."""
        return Response(send_test(self.get_object())._asdict())

    @extend_schema(request=None, responses=PutBack)
    @action(detail=True, methods=["post"], url_path="put-back")
    def put_back(self, request: Request, **kwargs: Any) -> Response:
        """What was given up is tried again from the beginning."""
        dead: Any = queue.of(records.target_of(self.get_object()))
        return Response({"put_back": queue.put_back(dead)})

    @extend_schema(responses=DeliverySerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def deliveries(self, request: Request, **kwargs: Any) -> Response:
        """The last hundred tests and failures, newest first."""
        forwarder = self.get_object()
        rows: Any = Delivery.objects.for_tenant(self.tenant).filter(kind=records.KIND, target=forwarder.pk)[:100]
        return Response(DeliverySerializer(rows, many=True).data)
