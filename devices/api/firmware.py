"""Firmware packages for people, and their images for devices."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from devices.firmware import addresses, packages, sending
from devices.models import Firmware
from iotpanel.api.errors import ApiError, Forbidden, TooLarge, Unauthorized
from iotpanel.api.json import JsonParser
from iotpanel.api.throttling import count_address
from iotpanel.tenants.api.base import TenantViewSet
from iotpanel.tenants.models import Role

from .firmware_serializers import FirmwareNotes, FirmwareQuery, FirmwareSerializer, NewFirmware

AROUND = 64 * 1024  # bytes that a form may have beside the image
IMAGE = {
    (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The whole image."),
    (206, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The range."),
    416: OpenApiResponse(None, "Nothing of the range exists; `Content-Range` says how long the image is."),
}


@extend_schema_view(list=extend_schema(parameters=[FirmwareQuery]), retrieve=extend_schema(operation_id="firmware_one"))
class FirmwareViewSet(TenantViewSet):
    """Packages: an image of a version of a product."""

    resource = "firmware"
    http_method_names = ["get", "post", "patch", "delete", "head"]
    parser_classes = [MultiPartParser, JsonParser]
    serializer_class = FirmwareSerializer
    queryset = Firmware.objects.select_related("product", "person")
    lookup_field = "id"
    lookup_url_kwarg = "id"
    lookup_value_regex = r"[0-9]{1,18}"
    needs = {"image": Role.OPERATOR}

    def get_queryset(self) -> QuerySet[Any]:
        found: Any = super().get_queryset()
        query = self.query(FirmwareQuery) if self.action == "list" else {}
        return found.filter(product=query["product"]) if "product" in query else found

    def get_object(self) -> Firmware:
        found: Firmware | None = self.get_queryset().filter(pk=int(self.kwargs["id"])).first()
        if found is None:
            raise Http404
        return found

    def enter(self, request: Request) -> None:
        """What is far too long is refused before anybody reads it."""
        super().enter(request)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > settings.FIRMWARE_MAX_BYTES + AROUND:
            raise TooLarge("too_large", _("An image has at most %(limit)d MB.") % {"limit": settings.FIRMWARE_MAX_BYTES // 1_000_000})

    @extend_schema(request={"multipart/form-data": NewFirmware}, responses={201: FirmwareSerializer}, operation_id="firmware_add")
    def create(self, request: Request) -> Response:
        """Uploads an image, as a form with a file. Every refusal has a code of its own."""
        given = self.validated(NewFirmware, request.data)
        product = packages.product_of(self.tenant, given.pop("product"))
        made = packages.add_package(product, pieces=given.pop("file").chunks(), person=self.person(), **given)
        return Response(self.shown(made), status=201)

    @extend_schema(request=FirmwareNotes, responses=FirmwareSerializer)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """The notes alone: a version is for good."""
        found = self.get_object()
        return Response(self.shown(packages.change_notes(found, self.validated(FirmwareNotes, request.data)["notes"])))

    def delete_object(self, instance: Firmware) -> None:
        packages.delete_package(instance)

    @extend_schema(responses=IMAGE, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def image(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        """The image itself, also in ranges."""
        return sent(request, self.get_object())


class ImageDoor(APIView):
    """For devices: the address that an update's offer holds. It needs no credentials, works for an hour, and for nothing else."""

    authentication_classes: list[Any] = []
    http_method_names = ["get", "head"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)

    @extend_schema(responses=IMAGE, operation_id="device_firmware", auth=[])
    def get(self, request: Request, token: str) -> HttpResponseBase:
        """The image, whole or a single range, with `ETag` and `If-Range`. 403: ask for a new address with `{}` on `up/ota`."""
        try:
            return sent(request, addresses.read(token).firmware)
        except addresses.Refused as refused:
            count_address(request)
            raise _why(refused.code) from refused

    head = get


def sent(request: Request, firmware: Firmware) -> HttpResponseBase:
    try:
        return sending.send(request._request, firmware)
    except FileNotFoundError as error:
        raise ApiError("image_lost", _("The image is not on the disk any more. Upload it again.")) from error


def _why(code: str) -> ApiError:
    return {
        "bad_address": Unauthorized(code, _("This address is not one of ours.")),
        "address_expired": Forbidden(code, _("This address has expired. Ask for a new one.")),
        "withdrawn": Forbidden(code, _("This update has ended, or its package is gone.")),
    }[code]
