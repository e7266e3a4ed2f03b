"""Who changed what: every change of the registry is in the audit log with its actor, address and tenant."""

from collections.abc import Callable, Sequence
from typing import Any

from auditlog.context import auditlog_value
from auditlog.middleware import AuditlogMiddleware
from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from iotpanel.api.addresses import client_address

from .models import Tenant, User


class AuditMiddleware(AuditlogMiddleware):
    """Takes the actor when something is written, not when the request begins: the API knows who asks only later.

    Requests that write nothing then touch neither session nor database for it. The address is the one that
    our own proxies vouch for.
    """

    def __call__(self, request: HttpRequest) -> Any:
        """Forgets the actor afterwards: what this thread writes next is not theirs."""
        token = auditlog_value.set({})
        try:
            return super().__call__(request)
        finally:
            auditlog_value.reset(token)

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


def note_bulk(changes: Sequence[tuple[Model, dict[str, tuple[str, str]]]], *, created: bool) -> None:
    """Entries for objects that were written in bulk, which sends no signals: each with its {field: (before, after)}."""
    if not changes:
        return
    context = auditlog_value.get({})
    actor, name = context.get("actor"), context.get("actor_email")
    shared = {
        "content_type": ContentType.objects.get_for_model(changes[0][0]),
        "action": LogEntry.Action.CREATE if created else LogEntry.Action.UPDATE,
        "actor": actor if isinstance(actor, User) else None,
        "actor_email": name() if callable(name) else None,
        "remote_addr": context.get("remote_addr"),
    }
    LogEntry.objects.bulk_create([_entry(*change, shared) for change in changes], batch_size=1000)


def _entry(instance: Any, found: dict[str, tuple[str, str]], shared: dict[str, Any]) -> LogEntry:
    fields = {"object_pk": str(instance.pk), "object_id": instance.pk, "object_repr": str(instance)}
    return LogEntry(**fields, changes=found, additional_data=instance.get_additional_data(), **shared)
