"""What brokers ask, and how each wants to be answered.

- EMQX 5: JSON with `username`, `password`, `clientid`, or `username`, `topic`, `action`; wants `{"result": "allow"}`.
- EMQX also, where it asks clients for certificates, `cert_pem` or `cert_fingerprint` (SHA-256) instead of a password.
- GMQTT (through a plugin that posts JSON, as it has none of its own): the same, with `client_id`.
- VerneMQ: JSON, the hook's name in the header `vernemq-hook`; wants `{"result": "ok"}`.
- RabbitMQ: a form; wants the plain word `allow`. It writes topics with dots, so keys with a dot cannot be told apart there.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson
from django.http import HttpRequest, HttpResponse, JsonResponse

HOOK = "vernemq-hook"
DENIED_SUBSCRIPTION = 128


class Question(NamedTuple):
    """`action` is sign_in, publish, subscribe or enter (a virtual host, an exchange, a queue: `topics` names queues)."""

    action: str
    username: str
    password: str = ""
    client_id: str | None = None
    topics: tuple[str, ...] = ()
    certificate: str = ""


Answer = Callable[[list[bool]], HttpResponse]


class BadQuestion(Exception):
    """No broker asks like this."""


def read(request: HttpRequest) -> tuple[Question, Answer]:
    """The question, and how to answer it: one verdict per topic, or one in all. Raises BadQuestion."""
    if request.content_type == "application/x-www-form-urlencoded":
        return _rabbitmq(request.POST), _answer_rabbitmq
    data = json_of(request)
    if hook := request.headers.get(HOOK, ""):
        question, asked = _vernemq(hook, data)
        return question, lambda verdicts: _answer_vernemq(hook, asked, verdicts)
    return _emqx(data), lambda verdicts: JsonResponse({"result": "allow" if all(verdicts) else "deny"})


def json_of(request: HttpRequest) -> dict[str, Any]:
    """The body's object; raises BadQuestion."""
    try:
        data = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise BadQuestion from error
    if not isinstance(data, dict):
        raise BadQuestion
    return data


def text(data: Mapping[str, Any], *names: str) -> str:
    """The first of these that is there, as a text; raises BadQuestion for anything but texts."""
    value = next((data[name] for name in names if data.get(name) is not None), "")
    if not isinstance(value, str) or "\0" in value:
        raise BadQuestion
    return value


def _emqx(data: dict[str, Any]) -> Question:
    username, client_id = text(data, "username"), text(data, "clientid", "client_id")
    if "topic" not in data:
        return Question("sign_in", username, text(data, "password"), client_id, certificate=text(data, "cert_pem", "cert_fingerprint"))
    action = text(data, "action")
    if action not in ("publish", "subscribe"):
        raise BadQuestion
    return Question(action, username, topics=(text(data, "topic"),))


def _vernemq(hook: str, data: dict[str, Any]) -> tuple[Question, list[dict[str, Any]]]:
    username, kind = text(data, "username"), hook.removesuffix("_m5")
    if kind == "auth_on_register":
        return Question("sign_in", username, text(data, "password"), text(data, "client_id")), []
    if kind == "auth_on_publish":
        return Question("publish", username, topics=(text(data, "topic"),)), []
    asked = data.get("topics")
    if kind != "auth_on_subscribe" or not isinstance(asked, list) or not all(isinstance(each, dict) for each in asked):
        raise BadQuestion
    return Question("subscribe", username, topics=tuple(text(each, "topic") for each in asked)), asked


def _answer_vernemq(hook: str, asked: list[dict[str, Any]], verdicts: list[bool]) -> HttpResponse:
    """A part of a subscription can be refused by MQTT 3.1.1's code 128; otherwise it is all or nothing."""
    if all(verdicts):
        return JsonResponse({"result": "ok"})
    if hook == "auth_on_subscribe" and any(verdicts):
        judged = zip(asked, verdicts, strict=True)
        return JsonResponse({"result": "ok", "topics": [each if good else {**each, "qos": DENIED_SUBSCRIPTION} for each, good in judged]})
    return JsonResponse({"result": {"error": "not_allowed"}})


def _rabbitmq(form: Mapping[str, Any]) -> Question:
    username = text(form, "username")
    if "." in username:
        raise BadQuestion
    if "resource" not in form:
        if "password" in form:
            return Question("sign_in", username, text(form, "password"), text(form, "client_id"))
        return Question("enter", username)
    if text(form, "resource") == "topic":
        topic = text(form, "routing_key").replace(".", "/").replace("*", "+")
        return Question("publish" if text(form, "permission") == "write" else "subscribe", username, topics=(topic,))
    return Question("enter", username, topics=(f"{text(form, 'resource')}:{text(form, 'name')}",))


def _answer_rabbitmq(verdicts: list[bool]) -> HttpResponse:
    return HttpResponse("allow" if all(verdicts) else "deny", content_type="text/plain")
