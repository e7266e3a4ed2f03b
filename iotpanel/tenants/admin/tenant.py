"""Tenants, for superusers and their owners."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants import tenants
from iotpanel.tenants.models import Role, Tenant

from .base import TenantModelAdmin


@admin.register(Tenant)
class TenantAdmin(TenantModelAdmin):
    tenant_path = "pk"
    add_role = None
    change_role = delete_role = Role.OWNER
    list_display = ("name", "key", "members", "created_at")
    search_fields = ("name", "key")
    ordering = ("name", "pk")  # the model's own is void where members are counted
    fields = ("key", "name", ("rate_limit", "rate_burst"))

    def tenant_of(self, obj: Any) -> Tenant:
        return obj

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(member_count=Count("memberships"))

    @admin.display(description=_("members"), ordering="member_count")
    def members(self, obj: Any) -> int:
        return int(obj.member_count)

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Tenant:
        return tenants.create_tenant(**values)

    def update(self, request: HttpRequest, obj: Tenant, changes: dict[str, Any]) -> None:
        tenants.update_tenant(obj, **changes)

    def remove(self, request: HttpRequest, obj: Tenant) -> None:
        tenants.delete_tenant(obj)
