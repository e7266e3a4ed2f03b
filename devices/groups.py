"""Groups: the trees that devices are sorted into."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils.translation import gettext as _

from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import Tenant
from iotpanel.tenants.validation import Problems, check_key, clean_text, refuse_new_key, refuse_unknown, save_new

from .models import Group

_FIELDS = {"name": "", "parent": None}


@transaction.atomic
def create_group(tenant: Tenant, *, key: str, name: str = "", parent: Group | None = None) -> Group:
    """`name` is the key where it is empty. Raises ValidationError by field, Conflict `key_taken`."""
    group = Group(tenant=tenant, key=key)
    problems = Problems()
    with problems.of("key"):
        check_key(key)
    _apply(group, {"name": name or key, "parent": parent}, problems)
    save_new(group)
    return group


@transaction.atomic
def update_group(group: Group, **changes: Any) -> Group:
    """Changes `name` and `parent`. Raises ValidationError by field; a group can't stand below itself."""
    refuse_new_key(group.key, changes)
    refuse_unknown(changes, _FIELDS)
    if "parent" in changes:  # two moves at once could close a circle that neither sees
        Tenant.objects.select_for_update(no_key=True).get(pk=group.tenant_id)
    _apply(group, changes, Problems())
    group.save(update_fields=list(changes))
    return group


@transaction.atomic
def delete_group(group: Group) -> None:
    """Its devices stay. Raises Conflict `in_use` where groups stand below it."""
    try:
        group.delete()
    except (ProtectedError, RestrictedError) as error:
        raise Conflict("in_use", _("Groups stand below this one: move or delete them first.")) from error


def _apply(group: Group, changes: dict[str, Any], problems: Problems) -> None:
    with problems.of("name"):
        group.name = clean_text(changes.get("name", group.name))
    with problems.of("parent"):
        if "parent" in changes:
            group.parent = _clean_parent(group, changes["parent"])
    problems.raise_any()


def _clean_parent(group: Group, parent: Group | None) -> Group | None:
    if parent is None:
        return None
    if parent.tenant_id != group.tenant_id:
        raise ValidationError(_("There is no such group."), code="unknown")
    if group.pk and Group.objects.subtree(group).filter(pk=parent.pk).exists():
        raise ValidationError(_("A group cannot stand below itself."), code="cycle")
    return parent
