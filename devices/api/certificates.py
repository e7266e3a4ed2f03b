"""Client certificates of one device: issued, listed, revoked."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from devices import certificates
from devices.certificates.verbs import DAYS, MAX_DAYS, our_authority_text
from devices.models import DeviceCertificate
from iotpanel.api.pagination import CursorPagination
from iotpanel.api.schema import LISTING, page_of

from .base import DeviceEndpoint


class CertificateSerializer(serializers.Serializer[DeviceCertificate]):
    serial = serializers.CharField(help_text="Hexadecimal, as `openssl x509 -serial` shows it but for its case.")
    fingerprint = serializers.CharField(help_text="SHA-256, hexadecimal.")
    key_kind = serializers.CharField(help_text="Such as `EC P-256`.")
    state = serializers.CharField(help_text="`active`, `ending` (within 30 days), `ended` or `revoked`.")
    not_before = serializers.DateTimeField()
    not_after = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)


class NewCertificate(serializers.Serializer[Any]):
    csr = serializers.CharField(
        required=False,
        max_length=16_384,
        trim_whitespace=False,
        help_text="A certificate signing request in PEM; its subject is replaced. Without it a key pair is made here.",
    )
    days = serializers.IntegerField(required=False, min_value=1, max_value=MAX_DAYS, help_text=f"How long it is valid; {DAYS}.")


class IssuedCertificate(CertificateSerializer):
    certificate = serializers.CharField(help_text="PEM.")
    authority = serializers.CharField(help_text="The authority of devices that signed it, PEM.")
    private_key = serializers.CharField(required=False, help_text="PEM, PKCS 8; only where no `csr` was given, and only now.")


class CertificatesView(DeviceEndpoint):
    """What the device signs in with instead of a secret."""

    http_method_names = ["get", "post", "head"]

    @extend_schema(
        parameters=[*LISTING], responses={200: page_of(CertificateSerializer)}, operation_id="devices_certificates", filters=False
    )
    def get(self, request: Request, key: str) -> Response:
        """Newest first, the revoked ones too."""
        pages = CursorPagination()
        rows = DeviceCertificate.objects.for_tenant(self.tenant).filter(device=self.device)
        page: Any = pages.paginate_queryset(rows, request, self)
        return pages.get_paginated_response(CertificateSerializer(page, many=True).data)

    @extend_schema(request=NewCertificate, responses={201: IssuedCertificate}, operation_id="devices_certificates_issue")
    def post(self, request: Request, key: str) -> Response:
        """Issues one; the older ones stay in force until they are revoked or end."""
        made = certificates.issue(self.device, **self.validated(NewCertificate, request.data or {}))
        shown = {**CertificateSerializer(made.row).data, "certificate": made.certificate, "authority": our_authority_text()}
        if made.private_key:
            shown["private_key"] = made.private_key
        return Response(shown, status=201, headers={"Cache-Control": "no-store"})


class CertificateView(DeviceEndpoint):
    """One certificate."""

    http_method_names = ["delete"]

    @extend_schema(responses={204: None}, operation_id="devices_certificates_revoke")
    def delete(self, request: Request, key: str, serial: str) -> Response:
        """Revokes it: it opens no door any more, and its session ends within 10 s."""
        found = DeviceCertificate.objects.for_tenant(self.tenant).filter(device=self.device, serial=serial.lower()).first()
        if found is None:
            raise Http404
        certificates.revoke(found)
        return Response(status=204)
