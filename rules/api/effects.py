"""What a rule sends outside by itself: its webhooks, and what it publishes to devices."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from iotpanel.tenants.api.base import TenantViewSet
from rules import effects
from rules.models import Target

from .health import DeliverySerializer, HealthSerializer, PutBack, health_of

SHOWN = 100


class EffectSerializer(serializers.Serializer[Target]):
    kind = serializers.ChoiceField([*effects.KINDS])
    address = serializers.CharField(help_text="Of a webhook, as long as the rule has it; else empty.")
    health = HealthSerializer()
    deliveries = DeliverySerializer(many=True, help_text="The last hundred: what was sent and what was answered, newest first.")

    def to_representation(self, instance: Target) -> dict[str, Any]:
        rows: Any = effects.deliveries_of(instance)[:SHOWN]
        address = self.context["addresses"].get(instance.lane, "")
        return {
            "kind": instance.kind,
            "address": address,
            "health": health_of(instance),
            "deliveries": DeliverySerializer(rows, many=True).data,
        }


class EffectsViewSet(TenantViewSet):
    """Addresses below a rule."""

    @extend_schema(responses=EffectSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def outside(self, request: Request, **kwargs: Any) -> Response:
        """How each address of its webhooks does, and what it publishes to devices; only those that something was sent to."""
        rule = self.get_object()
        targets: Any = effects.targets_of(rule)
        return Response(EffectSerializer(targets, many=True, context={"addresses": effects.addresses_of(rule)}).data)

    @extend_schema(request=None, responses=PutBack)
    @action(detail=True, methods=["post"], url_path="put-back")
    def put_back(self, request: Request, **kwargs: Any) -> Response:
        """What was given up of that is tried again from the beginning."""
        return Response({"put_back": effects.put_back(self.get_object())})
