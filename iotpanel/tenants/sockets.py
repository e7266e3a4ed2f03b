"""Who is at the other end of a WebSocket: signed in by session, `Authorization: Bearer`, or the subprotocol `bearer.<token>`."""

from importlib import import_module
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, parse_cookie
from django.utils.http import is_same_domain
from rest_framework.exceptions import AuthenticationFailed

from iotpanel.api.errors import ApiError, Forbidden, Unauthorized
from iotpanel.api.throttling import count_address

from .api.authentication import API_KEY_BEGINS, by_api_key, by_user_token
from .api.principals import Grant, Service
from .models import Role, Tenant, User
from .permissions import role_of
from .web import current_tenant

SUBPROTOCOL = "bearer."
Scope = dict[str, Any]


class Caller(NamedTuple):
    """Somebody signed in, working in one tenant; `subprotocol` is to be confirmed where the token came by it."""

    who: User | Service
    tenant: Tenant
    grant: Grant
    subprotocol: str | None = None


def identify(scope: Scope, *, tenant: Tenant | None = None) -> Caller:
    """Who opened this connection; with `tenant` whether they still may be there.

    Raises Unauthorized where nobody is signed in or the origin is foreign, TooMany after too many wrong tokens,
    Forbidden for a tenant that is not theirs, ApiError `tenant_required` where they have to say which.
    """
    request = _as_request(scope)
    token, subprotocol = _token(request, scope)
    if token is None:
        return _by_session(request, scope, tenant)
    try:
        who, _found = by_api_key(token) if token.startswith(API_KEY_BEGINS) else by_user_token(token)
    except (AuthenticationFailed, UnicodeError) as error:
        count_address(request)
        raise Unauthorized("invalid_token", "This token is not valid.") from error
    if isinstance(who, Service):
        return _of_service(who, tenant, _wanted(request, scope), subprotocol)
    return _of_person(who, tenant or _only(who, _wanted(request, scope)), subprotocol)


def _by_session(request: HttpRequest, scope: Scope, tenant: Tenant | None) -> Caller:
    """Cookies are sent from any page that a browser shows, so the page has to be ours."""
    if not _is_ours(request):
        raise Unauthorized("foreign_origin", "This page may not connect.")
    engine = import_module(settings.SESSION_ENGINE)
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    request.session = engine.SessionStore(key if key.isalnum() else None)
    user = get_user(request)
    if not isinstance(user, User) or not user.is_active:
        raise Unauthorized("not_authenticated", "Sign in first.")
    request.user = user
    if tenant is None and (wanted := _wanted(request, scope)):
        tenant = _only(user, wanted)
    if tenant is None:
        found = current_tenant(request)
        tenant = found[0] if found else _only(user, None)
    return _of_person(user, tenant, None)


def _of_person(user: User, tenant: Tenant, subprotocol: str | None) -> Caller:
    role = role_of(user, tenant)
    if role is None:
        raise Forbidden("foreign_tenant", "You are not a member of this tenant.")
    return Caller(user, tenant, Grant(role), subprotocol)


def _of_service(service: Service, tenant: Tenant | None, wanted: str | None, subprotocol: str | None) -> Caller:
    key = service.api_key
    if (tenant is not None and tenant != key.tenant) or (wanted and wanted != key.tenant.key):
        raise Forbidden("foreign_tenant", "This API key belongs to another tenant.")
    return Caller(service, key.tenant, Grant(Role(key.role), tuple(key.scopes)), subprotocol)


def _only(user: User, wanted: str | None) -> Tenant:
    """The tenant that was asked for, or the person's only one."""
    mine = Tenant.objects.for_user(user)
    some = list(mine.filter(key=wanted) if wanted else mine.order_by("key")[:2])
    if not some:
        raise Forbidden("foreign_tenant", "You are not a member of this tenant.")
    if len(some) > 1:
        raise ApiError("tenant_required", "You work in several tenants: name one, as in /ws/live/?tenant=key.")
    return some[0]


def _wanted(request: HttpRequest, scope: Scope) -> str | None:
    query = parse_qs(scope.get("query_string", b"").decode("latin1"))
    named = query.get("tenant", [""])[0] or request.headers.get("x-tenant", "")
    return named.replace("\0", "") or None


def _token(request: HttpRequest, scope: Scope) -> tuple[str | None, str | None]:
    """The token and, where it came so, the subprotocol that carried it."""
    kind, _space, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip(), None
    for subprotocol in scope.get("subprotocols", []):
        if subprotocol.startswith(SUBPROTOCOL):
            return subprotocol[len(SUBPROTOCOL) :], subprotocol
    return None, None


def _as_request(scope: Scope) -> HttpRequest:
    """The handshake as a Django request: its checks of host, origin and proxy headers hold here too."""
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = (scope.get("client") or [""])[0]
    for name, value in scope.get("headers", []):
        request.META["HTTP_" + name.decode("latin1").upper().replace("-", "_")] = value.decode("latin1")
    request.COOKIES = parse_cookie(request.META.get("HTTP_COOKIE", ""))
    return request


def _is_ours(request: HttpRequest) -> bool:
    """Whether the Origin is this site, or one of those that the operator trusts."""
    origin = request.META.get("HTTP_ORIGIN", "")
    try:
        ours = f"{'https' if request.is_secure() else 'http'}://{request.get_host()}"
    except DisallowedHost:
        return False
    return origin == ours or any(_matches(origin, trusted) for trusted in settings.CSRF_TRUSTED_ORIGINS)


def _matches(origin: str, trusted: str) -> bool:
    """`https://*.example.com` trusts all hosts below it, as in Django's own setting."""
    if "*" not in trusted:
        return origin == trusted
    said, allowed = urlsplit(origin), urlsplit(trusted)
    return said.scheme == allowed.scheme and is_same_domain(said.netloc, allowed.netloc.lstrip("*"))
