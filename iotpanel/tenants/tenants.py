"""Tenants: made, renamed and ended."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from .limits import LIMITS
from .models import Tenant
from .validation import Problems, check_key, clean_text, refuse_new_key, refuse_unknown, save_new

_CLEAN: dict[str, Callable[[Any], Any]] = {"name": clean_text, **LIMITS}


@transaction.atomic
def create_tenant(*, key: str, name: str, rate_limit: float | None = None, rate_burst: int | None = None) -> Tenant:
    """`rate_limit` is in reports per second, for all devices together. Raises ValidationError by field, Conflict `key_taken`."""
    tenant = Tenant(key=key)
    problems = Problems()
    with problems.of("key"):
        check_key(key)
    for field, value in (("name", name), ("rate_limit", rate_limit), ("rate_burst", rate_burst)):
        with problems.of(field):
            setattr(tenant, field, _CLEAN[field](value))
    problems.raise_any()
    save_new(tenant)
    return tenant


@transaction.atomic
def update_tenant(tenant: Tenant, **changes: Any) -> Tenant:
    """Changes `name`, `rate_limit`, `rate_burst`; raises ValidationError by field."""
    refuse_new_key(tenant.key, changes)
    refuse_unknown(changes, _CLEAN)
    problems = Problems()
    for field, value in changes.items():
        with problems.of(field):
            setattr(tenant, field, _CLEAN[field](value))
    problems.raise_any()
    tenant.save(update_fields=list(changes))
    return tenant


@transaction.atomic
def delete_tenant(tenant: Tenant) -> None:
    """With everything in it; the readings of its devices go in the background."""
    tenant.delete()
