"""The one tenant filter. Every query made for a person starts with it."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models

if TYPE_CHECKING:
    from .tenant import Tenant
    from .user import User


class TenantQuerySet(models.QuerySet[Any]):
    """A queryset of things that belong to a tenant by the path `tenant_path`."""

    tenant_path = "tenant"

    def for_tenant(self, tenant: "Tenant") -> Self:
        """The rows of one tenant."""
        return self.filter(**{self.tenant_path: tenant})

    def for_user(self, user: "User") -> Self:
        """The rows of all tenants that this person is a member of; a superuser sees all."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self.all()
        return self.filter(**{f"{self.tenant_path}__in": user.memberships.values("tenant")})
