"""Products, devices and groups."""

import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from devices import groups, products, provisioning
from devices.models import Device, Group, Product
from iotpanel.api.streaming import stream_csv
from iotpanel.tenants.api.base import TenantViewSet

from .codec_test import try_frames
from .csv_files import CsvParser, carry_out, lines, plan_of
from .filters import DeviceQuery, ProductQuery, filter_by_name, filter_devices
from .serializers import (
    CodecTestAnswer,
    CodecTestRequest,
    DeviceSerializer,
    GroupSerializer,
    ImportQuery,
    ImportReport,
    NewDevice,
    ProductSerializer,
    RotatedCredentials,
    RotateRequest,
)


@extend_schema_view(list=extend_schema(parameters=[ProductQuery]))
class ProductsViewSet(TenantViewSet):
    """Kinds of devices: thing model, codec, topics, policies."""

    resource = "products"
    serializer_class = ProductSerializer
    queryset = Product.objects.select_related("child_product")
    field_names = {
        "codec_kind": "codec.kind",
        "codec_script": "codec.script",
        "codec_samples": "codec.samples",
        "register_children": "children.register",
        "child_product": "children.product",
        "rate_limit": "limits.rate",
        "rate_burst": "limits.burst",
    }

    def get_queryset(self) -> QuerySet[Any]:
        found: Any = super().get_queryset()
        return filter_by_name(found, self.query(ProductQuery).get("search", "")) if self.action == "list" else found

    def create_object(self, values: dict[str, Any]) -> tuple[Product, dict[str, Any]]:
        return products.create_product(self.tenant, **values), {}

    def update_object(self, instance: Product, values: dict[str, Any]) -> Product:
        return products.update_product(instance, **values)

    def delete_object(self, instance: Product) -> None:
        products.delete_product(instance)

    @extend_schema(request=CodecTestRequest, responses=CodecTestAnswer(many=True), filters=False)
    @action(detail=True, methods=["post"], url_path="codec/test", pagination_class=None)
    def codec_test(self, request: Request, **kwargs: Any) -> Response:
        """Tries a script on frames: one answer per frame. Changes nothing."""
        product = self.get_object()
        given = self.validated(CodecTestRequest, request.data)
        return Response(try_frames(product, given["script"], given["frames"]))


@extend_schema_view(list=extend_schema(parameters=[DeviceQuery]), create=extend_schema(responses={201: NewDevice}))
class DevicesViewSet(TenantViewSet):
    """Devices and gateways. Their secret is shown once, on creation and after `rotate/`."""

    resource = "devices"
    serializer_class = DeviceSerializer
    queryset = Device.objects.select_related("product", "parent", "presence", "running").prefetch_related("groups")
    field_names = {"latitude": "location", "longitude": "location", "rate_limit": "limits.rate", "rate_burst": "limits.burst"}

    def get_queryset(self) -> QuerySet[Any]:
        found: Any = super().get_queryset()
        return filter_devices(found, self.query(DeviceQuery)) if self.action == "list" else found

    def create_object(self, values: dict[str, Any]) -> tuple[Device, dict[str, Any]]:
        device, secret = provisioning.create_device(self.tenant, **values)
        return device, {"credentials": {"username": device.key, "secret": secret}}

    def update_object(self, instance: Device, values: dict[str, Any]) -> Device:
        if not values.get("name", True):
            values["name"] = instance.key
        provisioning.update_device(instance, **values)
        return self.get_queryset().get(pk=instance.pk)  # what was prefetched is as it was before

    def delete_object(self, instance: Device) -> None:
        provisioning.delete_device(instance)

    @extend_schema(request=RotateRequest, responses=RotatedCredentials)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, **kwargs: Any) -> Response:
        """A new secret, shown once; the old one ends."""
        device = self.get_object()
        given = self.validated(RotateRequest, request.data or {})
        secret = provisioning.rotate_secret(device, grace=datetime.timedelta(seconds=given.get("grace", 0)))
        credentials = {"username": device.key, "secret": secret}
        return Response({"credentials": credentials, **credentials})  # as on creation, and by themselves

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, **kwargs: Any) -> Response:
        """No secret of this device works from now on."""
        provisioning.revoke_credentials(self.get_object())
        return Response(status=204)

    @extend_schema(
        parameters=[ImportQuery],
        request={"text/csv": OpenApiTypes.STR},
        responses=ImportReport,
        operation_id="devices_import",
    )
    @action(detail=False, methods=["post"], url_path="import", parser_classes=[CsvParser])
    def import_csv(self, request: Request) -> Response:
        """Makes and changes devices as a CSV file says, all rows or none. New ones get their secret by `rotate/`."""
        dry_run = self.query(ImportQuery).get("dry_run", False)
        body: Any = request.data  # an empty body was not parsed
        return Response(carry_out(plan_of(self.tenant, body if isinstance(body, str) else ""), dry_run=dry_run))

    @extend_schema(
        parameters=[DeviceQuery],
        responses={(200, "text/csv"): OpenApiResponse({"type": "string"})},
        operation_id="devices_export",
        filters=False,
    )
    @action(detail=False, methods=["get"], url_path="export", pagination_class=None)
    def export_csv(self, request: Request) -> HttpResponseBase:
        """All devices that the filter chooses, as a CSV file that can be imported again."""
        every: Any = self.get_queryset()
        found = filter_devices(every, self.query(DeviceQuery)).order_by("key")
        return stream_csv(request._request, lines(found), "devices.csv")


@extend_schema_view(list=extend_schema(parameters=[ProductQuery]))
class GroupsViewSet(TenantViewSet):
    """Groups of devices, in trees."""

    resource = "groups"
    serializer_class = GroupSerializer
    queryset = Group.objects.select_related("parent")

    def get_queryset(self) -> QuerySet[Any]:
        found: Any = super().get_queryset()
        return filter_by_name(found, self.query(ProductQuery).get("search", "")) if self.action == "list" else found

    def create_object(self, values: dict[str, Any]) -> tuple[Group, dict[str, Any]]:
        return groups.create_group(self.tenant, **values), {}

    def update_object(self, instance: Group, values: dict[str, Any]) -> Group:
        return groups.update_group(instance, **values)

    def delete_object(self, instance: Group) -> None:
        groups.delete_group(instance)
