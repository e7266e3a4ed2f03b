"""Members: people in a tenant, with their roles. A tenant is never without an owner."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from iotpanel.api.errors import Conflict

from .models import Membership, Role, Tenant, User
from .validation import Problems, clean_choice, clean_text, refuse_unknown, save_new


@transaction.atomic
def add_member(tenant: Tenant, *, username: str, role: str, email: str = "", password: str | None = None) -> Membership:
    """A person's place in the tenant; who has no account yet gets one, with the password or (without) by sign-on only.

    Somebody who has an account keeps their own password and address. Raises ValidationError by field,
    Conflict `already_member`.
    """
    problems = Problems()
    with problems.of("role"):
        role = clean_choice(role, Role)
    with problems.of("username"):
        username = clean_text(username, limit=150)
        UnicodeUsernameValidator()(username)
    problems.raise_any()
    user = User.objects.filter(username=username).first()
    if user is None:
        user = create_person(username=username, email=email, password=password)
    elif password or (email and email != user.email):
        raise ValidationError({"username": _("This person has an account already: leave password and email empty to add them.")})
    if Membership.objects.filter(user=user, tenant=tenant).exists():
        raise Conflict("already_member", _("This person is a member already."))
    membership = Membership(user=user, tenant=tenant, role=role)
    save_new(membership)
    return membership


@transaction.atomic
def create_person(*, username: str, email: str = "", password: str | None = None, is_superuser: bool = False) -> User:
    """An account. Raises ValidationError by field (`username`, `email`, `password`), Conflict `key_taken`."""
    user = User(username=username, email=email, is_superuser=is_superuser, is_staff=is_superuser)
    problems = Problems()
    with problems.of("email"):
        if clean_text(email, limit=254, blank=True):
            validate_email(email)
    with problems.of("password"):
        if password is not None:
            validate_password(clean_text(password, limit=1000), user)
    problems.raise_any()
    user.set_password(password)  # None makes it unusable
    save_new(user)
    return user


@transaction.atomic
def update_member(membership: Membership, **changes: Any) -> Membership:
    """Changes `role`. Raises ValidationError by field, Conflict `last_owner`."""
    refuse_unknown(changes, {"role": clean_choice})
    try:
        role = clean_choice(changes.get("role", membership.role), Role)
    except ValidationError as error:
        raise ValidationError({"role": error.error_list}) from error
    if role != Role.OWNER:
        _keep_an_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    return membership


@transaction.atomic
def remove_member(membership: Membership) -> None:
    """The account stays. Raises Conflict `last_owner`."""
    _keep_an_owner(membership)
    membership.delete()


def _keep_an_owner(membership: Membership) -> None:
    """The tenant's row is locked, so that two owners who leave at once can't both be told that the other stays."""
    Tenant.objects.select_for_update(no_key=True).get(pk=membership.tenant_id)
    owners = Membership.objects.filter(tenant=membership.tenant_id, role=Role.OWNER)
    if owners.filter(pk=membership.pk).exists() and not owners.exclude(pk=membership.pk).exists():
        raise Conflict("last_owner", _("A tenant needs an owner: make somebody else owner first."))
