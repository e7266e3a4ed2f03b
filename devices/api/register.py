"""The door where devices register themselves: `POST /api/v1/device/register`."""

from typing import Any

import structlog
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from devices.enrolment.factory import register_by_certificate
from devices.enrolment.registration import register
from iotpanel.api.addresses import client_address
from iotpanel.api.errors import ApiError
from iotpanel.api.throttling import count

from .enrolment_serializers import RegisterAnswer, RegisterRequest

PER_ADDRESS = 60  # a minute, right or wrong
PER_SERIAL = 10  # a minute: a device that asks in a loop
ASK_AGAIN = 60  # seconds
log = structlog.get_logger(__name__)


class RegisterDoor(APIView):
    """For devices that know their product's secret, or have a certificate of their factory.

    The secret of its own is given out until it is first used; a certificate of ours whenever the device asks.
    """

    authentication_classes: list[Any] = []
    http_method_names = ["post"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        count(f"register:{client_address(request)}", PER_ADDRESS)

    @extend_schema(request=RegisterRequest, responses={201: RegisterAnswer, 202: RegisterAnswer}, operation_id="device_register", auth=[])
    def post(self, request: Request) -> Response:
        given = RegisterRequest(data=request.data)
        given.is_valid(raise_exception=True)
        sent = given.validated_data
        give, address = self._certificate if "chain" in sent else self._secret, client_address(request)
        try:
            gives = give(sent, address)
        except ApiError as error:
            log.info("registration_refused", code=error.code, product=sent["product"], serial=sent.get("serial", ""), address=address)
            raise
        if gives is None:
            return Response({"state": "pending", "retry_after": ASK_AGAIN}, status=202, headers={"Retry-After": str(ASK_AGAIN)})
        return Response({"state": "registered", **gives}, status=201, headers={"Cache-Control": "no-store"})

    @staticmethod
    def _secret(sent: dict[str, Any], address: str) -> dict[str, Any] | None:
        count(f"register:{sent['product']}:{sent['serial']}", PER_SERIAL)
        found = register(sent["product"], sent["secret"], sent["serial"], address=address)
        return {"credentials": {"username": found.device.key, "secret": found.secret}} if found else None

    @staticmethod
    def _certificate(sent: dict[str, Any], address: str) -> dict[str, Any] | None:
        found = register_by_certificate(sent["product"], sent["chain"], sent["csr"], address=address)
        return {"username": found.device.key, "certificate": found.issued.certificate} if found else None
