"""The door where devices register themselves: `POST /api/v1/device/register`."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from devices.enrolment.registration import register
from iotpanel.api.addresses import client_address
from iotpanel.api.throttling import count

from .enrolment_serializers import RegisterAnswer, RegisterRequest

PER_ADDRESS = 60  # a minute, right or wrong
PER_SERIAL = 10  # a minute: a device that asks in a loop
ASK_AGAIN = 60  # seconds


class RegisterDoor(APIView):
    """For devices that know their product's secret. The credentials are given out until they are first used."""

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
        count(f"register:{sent['product']}:{sent['serial']}", PER_SERIAL)
        found = register(sent["product"], sent["secret"], sent["serial"], address=client_address(request))
        if found is None:
            return Response({"state": "pending", "retry_after": ASK_AGAIN}, status=202, headers={"Retry-After": str(ASK_AGAIN)})
        credentials = {"username": found.device.key, "secret": found.secret}
        return Response({"state": "registered", "credentials": credentials}, status=201, headers={"Cache-Control": "no-store"})
