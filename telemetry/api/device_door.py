"""The door for devices that talk HTTP: the same payloads as by MQTT, accepted by the same pipeline, answered after the commit."""

import base64
import binascii
import time
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from devices import topics
from devices.exceptions import Invalid
from devices.exceptions import Unavailable as PartIsDown
from devices.messages import DeadLetter, Uplink
from devices.models import Device
from devices.provisioning import verify_secret
from iotpanel.api.errors import ApiError, Forbidden, TooLarge, TooMany, Unavailable, Unprocessable
from iotpanel.api.throttling import count_address
from telemetry.uplink.pipeline import Outcome, process

from .serializers import UplinkAnswer

MAX_PAYLOAD = 1_000_000  # as the broker's
COUNTS = ("received", "stored", "duplicate", "rejected", "dead_lettered", "heartbeats")


class DeviceAuthentication(BaseAuthentication):
    """Basic with key and secret, or `Bearer key:secret`. It gives a Device, which is nobody's user."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        word, _space, rest = get_authorization_header(request).strip().partition(b" ")
        if word.lower() not in (b"basic", b"bearer"):
            return None
        key, _colon, secret = _pair(word.lower(), rest.strip())
        device = verify_secret(key, secret)
        if device is None:
            raise AuthenticationFailed(_("Key or secret is wrong, or the device is disabled."))
        return device, None

    def authenticate_header(self, request: Request) -> str:
        return 'Basic realm="iotpanel devices", charset="UTF-8"'


def _pair(word: bytes, text: bytes) -> tuple[str, str, str]:
    try:
        return (base64.b64decode(text, validate=True) if word == b"basic" else text).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise AuthenticationFailed(_("Send the device's key and secret.")) from error


class DeviceScheme(OpenApiAuthenticationExtension):
    target_class = DeviceAuthentication
    name = "device"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "basic", "description": "A device's key and secret; or `Authorization: Bearer key:secret`."}


class DeviceDoor(APIView):
    """200 once it is stored; 422 where nothing of it was accepted (the bytes are kept as a dead letter); 503: send it again."""

    authentication_classes = [DeviceAuthentication]
    http_method_names = ["post"]
    kind = ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        if not isinstance(self._device(request), Device):
            raise AuthenticationFailed(_("Send the device's key and secret."))

    @staticmethod
    def _device(request: Request) -> Any:
        """Who asks; each wrong secret counts for the address."""
        try:
            return request.user
        except AuthenticationFailed:
            count_address(request)
            raise

    @extend_schema(
        request={"application/json": OpenApiTypes.ANY, "application/octet-stream": OpenApiTypes.BINARY},
        responses=UplinkAnswer,
    )
    def post(self, request: Request, **parts: Any) -> Response:
        device: Any = request.user
        topic = topics.up(device.key, *self.levels(parts))
        self._check(topic)
        uplink = Uplink(topic=topic, payload=read_body(request), received_at=time.time_ns() // 1000, source="http")
        try:
            return Response(answer(process([uplink])))
        except PartIsDown as error:
            raise Unavailable(_("The data cannot be stored right now. Send it again soon.")) from error

    def levels(self, parts: dict[str, Any]) -> list[str]:
        return [*self.kind.split("/"), *(str(part) for value in parts.values() for part in str(value).split("/"))]

    @staticmethod
    def _check(topic: str) -> None:
        try:
            topics.parse(topic)
        except Invalid as error:
            raise ApiError("unknown_topic", error.detail) from error


@extend_schema_view(post=extend_schema(operation_id="device_raw_port_create"))
class PortDoor(DeviceDoor):
    """The same for bytes with a port, as LoRaWAN has them."""


def read_body(request: Request) -> bytes:
    """The payload; raises TooLarge beyond a megabyte, without reading on."""
    raw: bytes = request._request.read(MAX_PAYLOAD + 1)
    if len(raw) > MAX_PAYLOAD:
        raise TooLarge("too_large", _("A message has at most 1 MB."))
    return raw


def answer(outcome: Outcome) -> dict[str, Any]:
    """The counts, and what was not accepted; raises where nothing was."""
    problems = [{"index": _index(letter), "reason": letter.reason, "detail": letter.detail} for letter in outcome.letters]
    counts = {name: getattr(outcome, name) for name in COUNTS}
    accepted = outcome.stored or outcome.duplicate or outcome.heartbeats
    if outcome.refusals and not accepted:
        raise _refused(outcome.refusals[0])
    if problems and not accepted:
        first = outcome.letters[0]
        raise Unprocessable(first.reason, first.detail or first.reason, {**counts, "problems": problems})
    return {**counts, "problems": problems}


def _index(letter: DeadLetter) -> int | None:
    """Which report of the message it was, from 0; None: all of it."""
    return letter.entry if letter.position is None else letter.position


def _refused(refusal: Any) -> ApiError:
    code = refusal if isinstance(refusal, str) else refusal[1]
    if code == "rate_limited":
        return TooMany(code, _("This device sends too much. Try again later."), 60)
    return Forbidden(code, _("The platform does not take this device's data."))
