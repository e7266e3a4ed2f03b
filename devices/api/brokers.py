"""The doors where foreign brokers ask: `/broker/auth` and `/broker/acl`. When we cannot know, the answer is 503, never “allow”."""

import hmac
import logging
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from devices.broker_rules import is_platform, may_publish, may_sign_in, may_subscribe
from devices.topics import is_device_key

from .broker_formats import BadQuestion, Question, read

log = logging.getLogger(__name__)
View = Callable[[HttpRequest], HttpResponse]


def broker_door(view: View) -> View:
    """For brokers that know `IOTPANEL_BROKER_TOKEN`, as `Authorization: Bearer` or, where they can send no header, `?token=`."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if not settings.BROKER_TOKEN:
            return _error(404, "not_found", "No broker asks here: IOTPANEL_BROKER_TOKEN is not set.")
        given = request.headers.get("authorization", "").removeprefix("Bearer ") or request.GET.get("token", "")
        if not hmac.compare_digest(given.encode(errors="replace"), settings.BROKER_TOKEN.encode()):
            return _error(401, "not_authenticated", "The broker's token is wrong.")
        try:
            return view(request)
        except BadQuestion:
            return _error(400, "bad_question", "No broker asks like this.")
        except (DatabaseError, InterfaceError) as error:
            log.warning("a broker's question stays open, the database does not answer: %s", error)
            return _error(503, "unavailable", "The database does not answer.")

    return csrf_exempt(require_POST(guarded))


@broker_door
def ask(request: HttpRequest) -> HttpResponse:
    """Any question at either address: brokers differ in what they call authentication."""
    question, answer = read(request)
    return answer(judge(question))


def judge(question: Question) -> list[bool]:
    """A verdict for each topic that is asked about, else one. Raises DatabaseError."""
    if question.action == "sign_in":
        return [may_sign_in(question.username, question.password, question.client_id, question.certificate)]
    if question.action == "enter":
        return [_may_enter(question.username, name) for name in question.topics or ("",)]
    allowed = may_publish if question.action == "publish" else may_subscribe
    return [allowed(question.username, topic) for topic in question.topics]


def _may_enter(username: str, resource: str) -> bool:
    """RabbitMQ's virtual host, its topic exchange, and the queues that its MQTT plugin names after the client id."""
    if is_platform(username):
        return True
    queues = tuple(f"queue:mqtt-{kind}-{username}{end}" for kind, end in (("subscription", "qos0"), ("subscription", "qos1"), ("will", "")))
    return is_device_key(username) and resource in ("", "exchange:amq.topic", *queues)


def _error(status: int, code: str, message: str) -> HttpResponse:
    return JsonResponse({"code": code, "message": message, "details": None}, status=status)
