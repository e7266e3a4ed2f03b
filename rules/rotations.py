"""On-call rotations: made, changed, and asked who is on call."""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from iotpanel.tenants.models import Tenant, User
from iotpanel.tenants.validation import Problems, check_key, clean_integer, clean_text, refuse_new_key, refuse_unknown, save_new

from .models import Rotation
from .uses import refuse_used

MOST_PEOPLE = 100


@transaction.atomic
def create_rotation(tenant: Tenant, *, key: str, name: str, people: list[str], starts_at: datetime, period: int = 7) -> Rotation:
    """`people` are usernames of members, in turn, each for `period` days. Raises ValidationError by field, Conflict `key_taken`."""
    rotation = Rotation(tenant=tenant, key=key)
    problems = Problems()
    with problems.of("key"):
        check_key(key)
    _apply(rotation, {"name": name, "people": people, "starts_at": starts_at, "period": period}, problems)
    save_new(rotation)
    return rotation


@transaction.atomic
def update_rotation(rotation: Rotation, **changes: Any) -> Rotation:
    """Changes anything but the key. Raises ValidationError by field."""
    refuse_new_key(rotation.key, changes)
    refuse_unknown(changes, dict.fromkeys(("name", "people", "starts_at", "period")))
    _apply(rotation, changes, Problems())
    rotation.save(update_fields=list(changes))
    return rotation


def delete_rotation(rotation: Rotation) -> None:
    """Raises Conflict `in_use` while rules assign, or channels call, by it: alarms would go to nobody."""
    refuse_used(rotation.tenant, assign=rotation.key)
    rotation.delete()


def on_call(tenant_id: int, key: str, at: datetime | None = None) -> User | None:
    """Who is on call; None where nobody is, or the rotation is gone. People who left are passed over."""
    rotation = Rotation.objects.filter(tenant_id=tenant_id, key=key).first()
    if rotation is None or not rotation.people:
        return None
    here = {person.username: person for person in members(tenant_id, rotation.people)}
    turn = ((at or timezone.now()) - rotation.starts_at) // timedelta(days=rotation.period)
    in_turn = [rotation.people[(turn + step) % len(rotation.people)] for step in range(len(rotation.people))]
    return next((here[name] for name in in_turn if name in here), None)


def members(tenant_id: int, names: list[str]) -> list[User]:
    return list(User.objects.filter(username__in=names, memberships__tenant_id=tenant_id, is_active=True))


def _apply(rotation: Rotation, changes: dict[str, Any], problems: Problems) -> None:
    for field in changes:
        with problems.of(field):
            setattr(rotation, field, _clean(rotation, field, changes[field]))
    problems.raise_any()


def _clean(rotation: Rotation, field: str, value: Any) -> Any:
    if field == "name":
        return clean_text(value)
    if field == "period":
        return clean_integer(value, low=1, high=366)
    if field == "people":
        return _clean_people(rotation.tenant_id, value)
    if not isinstance(value, datetime):
        raise ValidationError(_("Give a time."), code="bad_type")
    return value


def _clean_people(tenant_id: int, names: Any) -> list[str]:
    if not isinstance(names, list) or not 0 < len(names) <= MOST_PEOPLE or not all(isinstance(name, str) for name in names):
        raise ValidationError(_("A list of usernames."), code="bad_type")
    there = {person.username for person in members(tenant_id, names)}
    if missing := [name for name in names if name not in there]:
        raise ValidationError(_("“%(name)s” is no member."), code="unknown", params={"name": missing[0][:150]})
    return names
