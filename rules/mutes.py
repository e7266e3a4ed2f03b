"""Maintenance windows: while somebody works on a device its alarms go onto the shelf, and nobody is called."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from iotpanel.tenants.models import Tenant
from iotpanel.tenants.validation import Problems, clean_text, refuse_unknown

from .firing import Firing
from .models import Maintenance
from .problem_words import said
from .problems import BadRule
from .scopes import check_scope, devices_of

LONGEST_DAYS = 366


@transaction.atomic
def create_maintenance(
    tenant: Tenant, *, name: str, starts_at: datetime, ends_at: datetime, scope: dict[str, Any] | None = None
) -> Maintenance:
    """A window for the devices of a scope, as a rule has it; of all devices where it is empty. Raises ValidationError by field."""
    maintenance = Maintenance(tenant=tenant)
    _apply(maintenance, {"name": name, "starts_at": starts_at, "ends_at": ends_at, "scope": scope or {}})
    maintenance.save()
    return maintenance


@transaction.atomic
def update_maintenance(maintenance: Maintenance, **changes: Any) -> Maintenance:
    """Changes any of it. Raises ValidationError by field."""
    refuse_unknown(changes, dict.fromkeys(("name", "starts_at", "ends_at", "scope")))
    _apply(maintenance, changes)
    maintenance.save()
    return maintenance


def delete_maintenance(maintenance: Maintenance) -> None:
    """It ends now; alarms that it put on the shelf stay there as long as they were meant to."""
    maintenance.delete()


def muted(firings: Sequence[Firing], windows: Sequence[Maintenance]) -> Sequence[Firing]:
    """The firings, those of devices under maintenance marked."""
    if not windows:
        return firings
    under = ends(firings, windows)
    return [firing._replace(muted=True) if firing.device_id in under else firing for firing in firings]


def ends(firings: Sequence[Firing], windows: Iterable[Maintenance]) -> dict[int, datetime]:
    """When the maintenance of their devices ends, the last of several; devices without one are left out.

    A query for each window that lasts and has a scope, however many firings there are.
    """
    now, found = timezone.now(), dict[int, datetime]()
    for window in windows:
        mine = {firing.device_id for firing in firings if firing.tenant_id == window.tenant_id}
        if not mine or not window.starts_at <= now < window.ends_at:
            continue
        under = set(devices_of(window.tenant, window.scope).filter(pk__in=mine).values_list("pk", flat=True)) if window.scope else mine
        for device_id in under:
            found[device_id] = max(window.ends_at, found.get(device_id, window.ends_at))
    return found


def _apply(maintenance: Maintenance, changes: dict[str, Any]) -> None:
    problems = Problems()
    with problems.of("name"):
        maintenance.name = clean_text(changes.get("name", maintenance.name))
    with problems.of("scope"):
        if "scope" in changes:
            maintenance.scope = _clean_scope(maintenance.tenant, changes["scope"])
    maintenance.starts_at = changes.get("starts_at", maintenance.starts_at)
    maintenance.ends_at = changes.get("ends_at", maintenance.ends_at)
    with problems.of("ends_at"):
        if not 0 < (maintenance.ends_at - maintenance.starts_at).total_seconds() <= LONGEST_DAYS * 86_400:
            raise ValidationError(_("It ends after it begins, and within a year."), code="bad_span")
    problems.raise_any()


def _clean_scope(tenant: Tenant, scope: Any) -> dict[str, Any]:
    if not scope:
        return {}
    try:
        check_scope(tenant, scope)
    except BadRule as error:
        raise ValidationError({error.path: [said(error)]}) from error
    return dict(scope)
