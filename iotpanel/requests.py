"""One line and one measurement per request, and an id that ties everything together which the request caused."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from iotpanel import metrics

HEADER = "X-Request-ID"
# One that a proxy made is kept, so that its log and ours can be laid side by side.
GIVEN = re.compile(r"[A-Za-z0-9_.-]{8,64}\Z")
UNSAID = ("/static/", "/healthz", "/readyz", "/metrics", "/favicon.ico")
OPENS = "/api/v1/device/firmware/"  # what stands behind it is a key for an hour
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
log = structlog.get_logger(__name__)


class RequestLog:
    """Middleware; the outermost but for the probes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        request_id = given if GIVEN.match(given) else uuid.uuid4().hex
        began = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            took = time.perf_counter() - began
            response[HEADER] = request_id
            method = request.method if request.method in METHODS else "other"
            metrics.HTTP_SECONDS.labels(method, f"{response.status_code // 100}xx").observe(took)
            if not request.path.startswith(UNSAID):
                _say(request, response, took)
        return response


def _say(request: HttpRequest, response: HttpResponseBase, took: float) -> None:
    # Without the query, which may hold what nobody should read in a log.
    user = request.__dict__.get("user")
    if isinstance(user, SimpleLazyObject):  # not looked up for our sake
        user = request.__dict__.get("_cached_user")
    log.info(
        "request",
        method=request.method,
        path=OPENS if request.path.startswith(OPENS) else request.path,
        status=response.status_code,
        ms=round(took * 1000, 1),
        user=getattr(user, "username", "") or None,
    )
