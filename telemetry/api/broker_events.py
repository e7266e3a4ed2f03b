"""`/broker/events`: a foreign broker's word on who comes and goes, taken like the embedded broker's own."""

import logging
import time
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from devices.api.broker_formats import HOOK, BadQuestion, json_of, text
from devices.api.brokers import broker_door
from devices.exceptions import Unavailable
from devices.messages import Uplink
from devices.models import Device
from devices.topics import is_device_key, up
from telemetry.uplink.pipeline import process

log = logging.getLogger(__name__)
WORDS = {
    "client.connected": b"online", "client.disconnected": b"offline",  # EMQX 5
    "client_connected": b"online", "client_disconnected": b"offline",  # its older form, and GMQTT's plugin
    "on_register": b"online", "on_client_wakeup": b"online", "on_client_offline": b"offline", "on_client_gone": b"offline",  # VerneMQ
    "connection.created": b"online", "connection.closed": b"offline",  # RabbitMQ's events, forwarded
}  # fmt: skip


@broker_door
def events(request: HttpRequest) -> HttpResponse:
    """Anything that is not about a device's coming or going is passed over."""
    data = json_of(request)
    word = WORDS.get(_event(request, data))
    key = _key(data)
    if word is None or not is_device_key(key) or not Device.objects.filter(key=key).exists():
        return JsonResponse({})
    if word == b"offline" and text(data, "reason") in ("discarded", "takenover", "takeovered"):
        return JsonResponse({})  # the same device is here again, by a newer connection
    try:
        process([Uplink(up(key, "status"), word, time.time_ns() // 1000, "broker")])
    except Unavailable as error:
        log.warning("a broker's event is not stored: %s", error)
        return JsonResponse({"code": "unavailable", "message": "Send it again.", "details": None}, status=503)
    return JsonResponse({})


def _event(request: HttpRequest, data: dict[str, Any]) -> str:
    return request.headers.get(HOOK, "").removesuffix("_m5") or text(data, "event", "action")


def _key(data: dict[str, Any]) -> str:
    """The account, or the client id, which is the same; RabbitMQ calls the account `user`."""
    try:
        return text(data, "username", "user", "clientid", "client_id")
    except BadQuestion:
        return ""
