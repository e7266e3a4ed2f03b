"""`/healthz` (alive), `/readyz` (can serve, or which part is missing) and `/metrics`, for those who watch over the platform.

Answered by a middleware before everything else: a probe knows no host name, has no session and must not be redirected.
"""

import ipaddress
import secrets
from collections.abc import Callable

import redis
import structlog
from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from iotpanel import figures, scrape, valkey

log = structlog.get_logger(__name__)
OK = "ok"
CLOSED = "Open on loopback without a proxy, and elsewhere with IOTPANEL_METRICS_TOKEN as bearer token.\n"


class Probes:
    """Middleware for the three addresses."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = ANSWERS.get(request.path)
        return answer(request) if answer else self.get_response(request)


def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers. It asks nobody else: a restart would not mend what is wrong elsewhere."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(_request: HttpRequest) -> JsonResponse:
    """Whether devices and people can be served, and part by part what is missing."""
    parts = readiness()
    ready = all(state == OK for state in parts.values())
    response = JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)
    response._has_been_logged = True  # type: ignore[attr-defined] # a probe's answer is no error of ours
    return response


def metrics_page(request: HttpRequest) -> HttpResponse:
    """All metrics, for Prometheus."""
    if not may_scrape(request):
        return HttpResponse(CLOSED, status=403, content_type="text/plain")
    return HttpResponse(generate_latest(scrape.registry()), content_type=CONTENT_TYPE_LATEST)


ANSWERS: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics_page}


def may_scrape(request: HttpRequest) -> bool:
    """From this machine without a proxy in between, else with the token."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        if secrets.compare_digest(given, settings.METRICS_TOKEN.encode()):
            return True
    proxied = settings.TRUSTED_PROXIES or any(name in request.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip"))
    return not proxied and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def readiness() -> dict[str, str]:
    """Each part's state: `ok`, or what is wrong with it in a few words."""
    return {"database": _database(), "migrations": _migrations(), "cache": _cache(), **_workers()}


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseTrouble as error:
        log.warning("database_not_ready", error=str(error))
        return "does not answer"
    return OK


class _Applied:
    """Once all migrations are applied they stay so for this process, and looking costs a tenth of a second."""

    seen = False


def _migrations() -> str:
    if _Applied.seen:
        return OK
    try:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseTrouble:
        return "unknown"
    _Applied.seen = not missing
    return f"{missing} not applied" if missing else OK


def _cache() -> str:
    try:
        valkey.client().ping()
    except redis.RedisError as error:
        log.warning("cache_not_ready", error=str(error))
        return "does not answer"
    return OK


def _workers() -> dict[str, str]:
    """The uplink worker reports its figures every two seconds, through the cache."""
    try:
        processes = figures.reported()
    except redis.RedisError:
        return {"uplink": "unknown", "broker": "unknown"}
    if not any(figures.role_of(name) == "uplink" for name in processes):
        return {"uplink": "no worker reports", "broker": "unknown"}
    connected = figures.value(processes, "uplink", "iotpanel_broker_connected")
    return {"uplink": OK, "broker": OK if connected else "the worker is not connected"}


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
