"""Updates for devices that talk HTTP: what is offered, and how it goes."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from devices.downlink import errand_outbox

from .device_door import DeviceDoor


class OfferSerializer(serializers.Serializer[Any]):
    version = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    url = serializers.CharField()
    signature = serializers.CharField(required=False)


class OtaDoor(DeviceDoor):
    """POST says how an update goes, as on `up/ota`; GET asks for the offer."""

    http_method_names = ["get", "post"]

    @extend_schema(responses={200: OfferSerializer, 204: OpenApiResponse(None, "Nothing is offered.")}, operation_id="device_ota_offer")
    def get(self, request: Request, **parts: Any) -> Response:
        """What the device shall run, with an address for its image; 204 where nothing is offered."""
        device: Any = request.user
        found = errand_outbox.open_offer(device.pk)
        if found is None:
            return Response(status=204)
        errand_outbox.mark_sent([found], timezone.now())
        return Response(found.offer())
