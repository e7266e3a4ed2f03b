"""The class that every admin of a tenant's things builds on."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RelatedDropdownFilter

from iotpanel.tenants.models import Role, User

from .access import ByRole, roles_of, tenants_of
from .history import WithHistory
from .verbs import ByVerbs, VerbForm

__all__ = ["ReadOnlyAdmin", "TenantModelAdmin", "VerbForm", "tenants_of"]


class TenantFilter(RelatedDropdownFilter):
    """By tenant, for those who see several."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return [(tenant.pk, tenant.name) for tenant in tenants_of(request.user, Role.VIEWER)]


class TenantModelAdmin(ByRole, WithHistory, ByVerbs):
    """A tenant's things: rows by tenant, permissions by role, writes by verbs."""

    list_fullwidth = True
    compressed_fields = True
    warn_unsaved_form = True
    list_per_page = 50
    show_full_result_count = False
    show_facets = False  # type: ignore[assignment] # counting every choice of every filter costs a scan each

    def several(self, request: HttpRequest) -> bool:
        """Whether this person works in several tenants, so that which one has to be said."""
        user = request.user
        return isinstance(user, User) and (user.is_superuser or len(roles_of(request, user)) > 1)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        filters: list[Any] = list(super().get_list_filter(request))
        if self.several(request) and self.tenant_path != "pk":
            filters.insert(0, (self.tenant_path, TenantFilter))
        return filters

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns: list[Any] = list(super().get_list_display(request))
        return [*columns, self.tenant_path] if self.several(request) and self.tenant_path == "tenant" else columns

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Key and tenant are for good."""
        fixed = [name for name in ("tenant", "key") if obj is not None and name in self._names()]
        return [*super().get_readonly_fields(request, obj), *fixed]

    def _names(self) -> set[str]:
        return {field.name for field in self.opts.get_fields()}

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The tenant that the person works in, or the only one there is."""
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        wanted = request.session.get("tenant")
        mine = tenants_of(request.user, self.add_role or Role.OWNER)
        tenant = mine.filter(key=wanted).first() or mine.order_by("created_at").first()
        if tenant is not None:
            initial.setdefault("tenant", tenant.pk)
        return initial

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, self.only_permitted(request, queryset, self.delete_role))


class ReadOnlyAdmin(TenantModelAdmin):
    """For looking only."""

    change_role = add_role = delete_role = None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
