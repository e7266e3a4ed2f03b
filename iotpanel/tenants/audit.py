"""Who changed what: every change of the registry is in the audit log with its actor, address and tenant."""

from collections.abc import Callable
from typing import Any

from auditlog.middleware import AuditlogMiddleware
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from iotpanel.api.addresses import client_address

from .models import Tenant


class AuditMiddleware(AuditlogMiddleware):  # type: ignore[misc]
    """Takes the actor when something is written, not when the request begins: the API knows who asks only later.

    Requests that write nothing then touch neither session nor database for it. The address is the one that
    our own proxies vouch for.
    """

    def get_extra_data(self, request: HttpRequest) -> dict[str, Any]:
        actor = SimpleLazyObject(lambda: getattr(request, "user", None))
        return {"actor": actor, "actor_email": _name_of(request), "remote_addr": client_address(request) or None}


def _name_of(request: HttpRequest) -> Callable[[], str]:
    """A person's address; an API key's beginning, as a service has no account."""

    def name() -> str:
        user = getattr(request, "user", None)
        api_key = getattr(user, "api_key", None)
        return f"API key {api_key.prefix}" if api_key is not None else str(getattr(user, "email", ""))[:254]

    return name


def of_tenants(entries: QuerySet[Any], tenants: QuerySet[Tenant]) -> QuerySet[Any]:
    """The entries about things of these tenants. The tenant stands in each entry, as the thing may be gone."""
    return entries.filter(additional_data__tenant__in=list(tenants.values_list("pk", flat=True)))
