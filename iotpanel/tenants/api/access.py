"""In which tenant a request works, and what it may do there."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from iotpanel.api.errors import ApiError, Forbidden
from iotpanel.tenants.models import Role, Tenant, User
from iotpanel.tenants.permissions import role_of
from iotpanel.tenants.web import SESSION_KEY

from .principals import Grant, Service

HEADER = "x-tenant"


def resolve(request: Request) -> tuple[Tenant, Grant]:
    """The tenant that `X-Tenant` names, else the only one; raises Forbidden or ApiError `tenant_required`."""
    if isinstance(request.user, Service):
        return _of_service(request, request.user)
    user = person(request)
    tenant = _of_person(request, user)
    role = role_of(user, tenant)
    if role is None:
        raise _not_yours()
    return tenant, Grant(role)


def _of_service(request: Request, service: Service) -> tuple[Tenant, Grant]:
    api_key = service.api_key
    if request.headers.get(HEADER, api_key.tenant.key) != api_key.tenant.key:
        raise _not_yours()
    return api_key.tenant, Grant(Role(api_key.role), tuple(api_key.scopes))


def person(request: Request) -> User:
    """The person that asks; raises NotAuthenticated where it is none."""
    if not isinstance(request.user, User):
        raise NotAuthenticated()
    return request.user


def _of_person(request: Request, user: User) -> Tenant:
    mine = Tenant.objects.for_user(user)
    wanted: Any = request.headers.get(HEADER) or _chosen_on_pages(request, user)
    if wanted:
        found = mine.filter(key=str(wanted).replace("\0", "")).first()
        if found is None:
            raise _not_yours()
        return found
    some = list(mine.order_by("key")[:2])
    if len(some) == 1:
        return some[0]
    if not some:
        raise Forbidden("no_tenant", _("You are not a member of any tenant."))
    raise ApiError("tenant_required", _("You work in several tenants: name one in the header X-Tenant."))


def _chosen_on_pages(request: Request, user: User) -> Any:
    """The pages' choice counts for requests that pages make, which are those signed in by session."""
    if request.auth is not None:
        return None
    chosen = request._request.session.get(SESSION_KEY)
    return chosen if Tenant.objects.for_user(user).filter(key=str(chosen)).exists() else None


def _not_yours() -> Forbidden:
    return Forbidden("foreign_tenant", _("You are not a member of this tenant."))
