"""Who sees and changes what in the admin: permissions from roles, rows by tenant, strangers' objects not found."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.options import BaseModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.forms import ModelChoiceField, ModelMultipleChoiceField
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from iotpanel.tenants.models import Role, Tenant, User


def tenants_of(user: Any, needed: Role) -> QuerySet[Tenant]:
    """The tenants in which this person may do what `needed` may."""
    if not isinstance(user, User) or not user.is_active:
        return Tenant.objects.none()
    if user.is_superuser:
        return Tenant.objects.all()
    roles = [role for role in Role if role.allows(needed)]
    return Tenant.objects.filter(pk__in=user.memberships.filter(role__in=roles).values("tenant"))


def roles_of(request: HttpRequest, user: User) -> dict[int, Role]:
    """Tenant id -> role, read once per request: a page of the admin asks dozens of times."""
    if not hasattr(request, "roles"):
        request.roles = {tenant: Role(role) for tenant, role in user.memberships.values_list("tenant", "role")}  # type: ignore[attr-defined]
    return request.roles  # type: ignore[attr-defined]


class ByRole(BaseModelAdmin):
    """Mixed into a ModelAdmin of a model that belongs to a tenant by `tenant_path`; None as role means superusers only."""

    tenant_path = "tenant"
    view_role: Role | None = Role.VIEWER
    change_role: Role | None = Role.ADMIN
    add_role: Role | None = Role.ADMIN
    delete_role: Role | None = Role.ADMIN

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.within(request, super().get_queryset(request), self.view_role)

    def within(self, request: HttpRequest, queryset: QuerySet[Any], needed: Role | None) -> QuerySet[Any]:
        """The rows of the tenants in which this person has the role. A subquery, so that no row comes twice."""
        if isinstance(request.user, User) and request.user.is_superuser and request.user.is_active:
            return queryset
        if needed is None:
            return queryset.none()
        return queryset.filter(**{f"{self.tenant_path}__in": tenants_of(request.user, needed)})

    def tenant_of(self, obj: Any) -> Tenant | None:
        for step in self.tenant_path.split(LOOKUP_SEP):
            obj = getattr(obj, step) if obj is not None else obj
        return cast("Tenant | None", obj)

    def permits(self, request: HttpRequest, needed: Role | None, obj: Any = None) -> bool:
        """Whether the person may; without an object: in any tenant. `obj` may be a primary key, as Unfold's actions give it."""
        user = request.user
        if not isinstance(user, User) or not user.is_active:
            return False
        if user.is_superuser:
            return True
        if needed is None:
            return False
        roles = roles_of(request, user)
        if obj is None:
            return any(role.allows(needed) for role in roles.values())
        found = obj if isinstance(obj, Model) else self.get_object(request, str(obj))  # type: ignore[attr-defined]
        tenant = self.tenant_of(found) if found is not None else None
        role = roles.get(tenant.pk) if tenant is not None else None
        return role is not None and role.allows(needed)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.permits(request, self.view_role)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.permits(request, self.view_role, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.permits(request, self.change_role, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.permits(request, self.add_role)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.permits(request, self.delete_role, obj)

    def only_permitted(self, request: HttpRequest, queryset: QuerySet[Any], needed: Role | None) -> QuerySet[Any]:
        """The rows of a bulk action that this person may change; the rest is left out and said."""
        allowed = self.within(request, queryset, needed)
        if not allowed.exists():
            raise PermissionDenied
        if left_out := queryset.count() - allowed.count():
            messages.warning(request, _("%(count)d left out: your role there does not allow this.") % {"count": left_out})
        return allowed

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        return self.narrowed(field, request)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        return self.narrowed(field, request)

    def narrowed(self, field: Any, request: HttpRequest) -> Any:
        """A choice among rows: only those of tenants where the person may edit, whatever the browser sends."""
        if not isinstance(field, ModelChoiceField | ModelMultipleChoiceField) or field.queryset is None:
            return field
        if field.queryset.model is Tenant:
            field.queryset = tenants_of(request.user, self.add_role or Role.OWNER)
        elif hasattr(field.queryset, "tenant_path"):
            mine = tenants_of(request.user, self.add_role or self.change_role or Role.OWNER)
            field.queryset = field.queryset.filter(**{f"{field.queryset.tenant_path}__in": mine})
        return field

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> Any:
        """Not found is not found: Django would send people to the index with a message."""
        raise Http404
