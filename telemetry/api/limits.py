"""What limits a tenant and its devices, and how much of it they use."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from devices.api.base import DeviceEndpoint
from iotpanel.tenants.api.base import TenantEndpoint
from telemetry import usage


class LimitAnswer(serializers.Serializer[Any]):
    rate = serializers.FloatField(allow_null=True, help_text="Reports per second; null: nothing limits.")
    burst = serializers.FloatField(allow_null=True, help_text="Reports at once.")
    set_by = serializers.ChoiceField(["device", "product", "tenant", "platform"], allow_null=True)
    used = serializers.FloatField(help_text="Reports per second, over the last full minutes.")
    rejected = serializers.IntegerField(help_text="Refused in this hour and the one before, for whatever reason.")


class DeviceLimitsAnswer(LimitAnswer):
    tenant = LimitAnswer()


class LimitsView(TenantEndpoint):
    """What all devices of the tenant may send together."""

    resource = "devices"

    @extend_schema(responses=LimitAnswer, operation_id="limits")
    def get(self, request: Request) -> Response:
        return Response(usage.of_tenant(self.tenant, timezone.now())._asdict())


class DeviceLimitsView(DeviceEndpoint):
    """What a device may send; its tenant's limit holds beside it."""

    @extend_schema(responses=DeviceLimitsAnswer, operation_id="devices_limits")
    def get(self, request: Request, key: str) -> Response:
        now = timezone.now()
        return Response({**usage.of_device(self.device, now)._asdict(), "tenant": usage.of_tenant(self.tenant, now)._asdict()})
