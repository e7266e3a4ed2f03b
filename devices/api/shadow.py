"""The shadow of one device: read as it is or was, patched, and its changes."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from devices.downlink import shadow
from devices.models import ShadowStep
from iotpanel.api.fields import CheckedObjectField, InstantField, ObjectField
from iotpanel.api.pagination import CursorPagination
from iotpanel.api.schema import LISTING, page_of
from iotpanel.tenants.models import Role

from .base import DeviceEndpoint


class ShadowQuery(serializers.Serializer[Any]):
    at = InstantField(required=False, help_text="As it was then.")


class ShadowSerializer(serializers.Serializer[Any]):
    desired = ObjectField()
    reported = ObjectField()
    delta = ObjectField(help_text="What of `desired` is not reported.")
    shared = ObjectField(help_text="Attributes that the server shares with the device.")
    version = serializers.IntegerField()
    changed_at = serializers.DateTimeField(source="at", allow_null=True)


class ShadowPatch(serializers.Serializer[Any]):
    desired = CheckedObjectField(help_text="A JSON merge patch: null removes.")
    version = serializers.IntegerField(required=False, min_value=0, help_text="409 `stale_version` where it is not the newest.")


class ShadowStepSerializer(serializers.Serializer[ShadowStep]):
    version = serializers.IntegerField()
    at = serializers.DateTimeField()
    part = serializers.ChoiceField(shadow.PARTS)
    patch = ObjectField()
    person = serializers.CharField(source="person.username", default=None, allow_null=True)


class ShadowView(DeviceEndpoint):
    """How the device should be, and how it says it is."""

    resource = "shadows"
    writes = Role.OPERATOR

    @extend_schema(parameters=[ShadowQuery], responses=ShadowSerializer, operation_id="devices_shadow")
    def get(self, request: Request, key: str) -> Response:
        return Response(ShadowSerializer(shadow.read(self.device, self.query(ShadowQuery).get("at"))).data)

    @extend_schema(request=ShadowPatch, responses=ShadowSerializer, operation_id="devices_shadow_set")
    def patch(self, request: Request, key: str) -> Response:
        """Merges into the desired state; the device is sent what it lacks, now or when it comes."""
        given = self.validated(ShadowPatch, request.data)
        patched = shadow.patch_desired(self.device, given["desired"], version=given.get("version"), person=self.person())
        return Response(ShadowSerializer(patched).data)


class ShadowHistoryView(DeviceEndpoint):
    """Every change of the shadow, newest first."""

    resource = "shadows"

    @extend_schema(parameters=LISTING, responses={200: page_of(ShadowStepSerializer)}, operation_id="devices_shadow_history", filters=False)
    def get(self, request: Request, key: str) -> Response:
        pages = CursorPagination()
        steps = ShadowStep.objects.for_tenant(self.tenant).filter(device=self.device).select_related("person")
        page: Any = pages.paginate_queryset(steps, request, self)
        return pages.get_paginated_response(ShadowStepSerializer(page, many=True).data)
