"""Claiming devices by their codes, and making many devices at once."""

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from devices.enrolment import claims, many
from devices.models import Claim, Device
from iotpanel.api.streaming import stream_csv
from iotpanel.api.throttling import count
from iotpanel.tenants.api.base import TenantEndpoint
from iotpanel.tenants.models import Role

from .enrolment_serializers import BulkRequest, ClaimCode, ClaimCodeRequest, ClaimRequest
from .serializers import DeviceSerializer

TRIES = 10  # codes a minute and person


class ClaimsView(TenantEndpoint):
    """Takes a prepared device into use by the code that stands on it."""

    resource = "devices"
    writes = Role.OPERATOR
    http_method_names = ["post"]

    @extend_schema(request=ClaimRequest, responses={201: DeviceSerializer}, operation_id="claims_create")
    def post(self, request: Request) -> Response:
        given = self.validated(ClaimRequest, request.data)
        count(f"claim:{getattr(request.user, 'throttle_ident', None) or request.user.pk}", TRIES)
        code = given.pop("code")
        may_transfer = self.grant.role.allows(Role.ADMIN)
        device = claims.claim(self.tenant, code, **given, may_transfer=may_transfer, person=self.person())
        return Response(DeviceSerializer(Device.objects.select_related("product", "presence").get(pk=device.pk)).data, status=201)


class ClaimCodeView(TenantEndpoint):
    """The code by which somebody may claim a device."""

    resource = "devices"
    http_method_names = ["post", "delete"]

    @extend_schema(request=ClaimCodeRequest, responses={201: ClaimCode}, operation_id="devices_claim_code")
    def post(self, request: Request, key: str) -> Response:
        """Prepares a device that has never been heard: disabled until somebody claims it by the code."""
        device = self.device(key)
        given = self.validated(ClaimCodeRequest, request.data or {})
        made, code = claims.prepare(device, **given)
        url = request.build_absolute_uri(f"/devices/-/claim/?code={code}")
        return Response({"code": code, "url": url, "expires_at": made.expires_at}, status=201, headers={"Cache-Control": "no-store"})

    @extend_schema(responses={204: None}, operation_id="devices_claim_code_revoke")
    def delete(self, request: Request, key: str) -> Response:
        """Ends a code that nobody has used; the device stays disabled. 409 `code_used` where it has been claimed."""
        claims.revoke(get_object_or_404(Claim.objects.filter(device=self.device(key))))
        return Response(status=204)

    def device(self, key: str) -> Device:
        """The tenant's device; raises NotFound."""
        return get_object_or_404(Device.objects.for_tenant(self.tenant), key=key)


class BulkView(TenantEndpoint):
    """Many devices of one product, with their credentials as a CSV file that is shown once."""

    resource = "devices"
    http_method_names = ["post"]

    @extend_schema(
        request=BulkRequest, responses={(200, "text/csv"): OpenApiResponse({"type": "string"})}, operation_id="devices_bulk", filters=False
    )
    def post(self, request: Request) -> HttpResponseBase:
        """All of them or none. Columns: key, username, secret, claim_code."""
        given: dict[str, Any] = self.validated(BulkRequest, request.data)
        keys = given["keys"] if "keys" in given else many.numbered(given["pattern"], given["count"], given.get("first", 1))
        options = {name: given[name] for name in ("claim_days", "transferable") if name in given}
        made = many.create_many(self.tenant, given["product"], keys, **options)
        answer = stream_csv(request._request, many.lines(made), "credentials.csv")
        answer["Cache-Control"] = "no-store, private"
        return answer
