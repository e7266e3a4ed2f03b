"""What the addresses of forwarders and channels have in common: their kinds, test messages, what was given up, what was sent."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from iotpanel.api.fields import ObjectField
from iotpanel.tenants.api.base import TenantViewSet
from iotpanel.tenants.models import Role
from rules.delivery import holding, queue
from rules.models import Delivery, Target

from .health import DeliverySerializer, HealthSerializer, Kind, PutBack, Tried, health_of, kinds_of


class AdaptedSerializer(serializers.Serializer[Any]):
    """The fields of both. `records` is the module with the nouns' verbs."""

    records: Any

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=200)
    enabled = serializers.BooleanField(required=False)
    settings = ObjectField(required=False, help_text="By the schema of the kind; secrets are taken, and never shown again.")
    secrets = serializers.SerializerMethodField(help_text="Names of the secrets that are set.")
    health = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_secrets(self, instance: Any) -> list[str]:
        found: list[str] = self.records.secrets_of(instance)
        return found

    @extend_schema_field(HealthSerializer)
    def get_health(self, instance: Any) -> dict[str, Any]:
        return health_of(self.records.target_of(instance))


class AdaptedViewSet(TenantViewSet):
    """`table` holds the adapters by kind, `records` the nouns' verbs."""

    table: Mapping[str, Any]
    records: Any
    lookup_field = "id"
    lookup_url_kwarg = "id"
    lookup_value_regex = r"[0-9]{1,18}"
    needs = {"put_back": Role.OPERATOR}

    def send_test(self, instance: Any) -> Any:
        """Sends a test message; what became of it."""
        raise NotImplementedError

    def target(self) -> Target:
        found: Target = self.records.target_of(self.get_object())
        return found

    @extend_schema(responses=Kind(many=True), filters=False)
    @action(detail=False, methods=["get"], pagination_class=None)
    def kinds(self, request: Request) -> Response:
        """What there is: each kind with the JSON Schema of its settings (`writeOnly`: a secret)."""
        return Response(kinds_of(self.table))

    @extend_schema(request=None, responses=Tried)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, **kwargs: Any) -> Response:
        """Sends a test message now, and answers the other side's words."""
        return Response(self.send_test(self.get_object())._asdict())

    @extend_schema(request=None, responses=HealthSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, **kwargs: Any) -> Response:
        """Holds delivery: what comes goes on being promised, and waits."""
        return Response(health_of(holding.hold(self.target())))

    @extend_schema(request=None, responses=HealthSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, **kwargs: Any) -> Response:
        """Delivers again, at once."""
        return Response(health_of(holding.let_go(self.target())))

    @extend_schema(request=None, responses=PutBack)
    @action(detail=True, methods=["post"], url_path="put-back")
    def put_back(self, request: Request, **kwargs: Any) -> Response:
        """What was given up is tried again from the beginning."""
        dead: Any = queue.of(self.target())
        return Response({"put_back": queue.put_back(dead)})

    @extend_schema(responses=DeliverySerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def deliveries(self, request: Request, **kwargs: Any) -> Response:
        """The last hundred: what was sent and what was answered, newest first. Of a forwarder tests and failures alone."""
        target = self.target()
        rows: Any = Delivery.objects.for_tenant(self.tenant).filter(kind=target.kind, target=target.target)[:100]
        return Response(DeliverySerializer(rows, many=True).data)
