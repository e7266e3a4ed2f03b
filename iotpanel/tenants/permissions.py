"""Who may do what: a person's role in a tenant."""

from .models import Membership, Role, Tenant, User


def role_of(user: User, tenant: Tenant) -> Role | None:
    """The person's role in the tenant; an owner's for superusers, None for strangers and the inactive."""
    if not user.is_authenticated or not user.is_active:
        return None
    if user.is_superuser:
        return Role.OWNER
    found = Membership.objects.filter(user=user, tenant=tenant).values_list("role", flat=True).first()
    return Role(found) if found else None


def may(user: User, tenant: Tenant, needed: Role) -> bool:
    """Whether the person may do in this tenant what `needed` may."""
    role = role_of(user, tenant)
    return role is not None and role.allows(needed)
