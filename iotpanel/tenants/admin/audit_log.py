"""The audit log: who changed what, when and from where; for admins of the tenant that it happened in."""

from typing import Any

import auditlog.admin  # noqa: F401 - registers the log first, so that this one can take its place
from auditlog.models import LogEntry
from auditlog.render import get_field_verbose_name
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter

from iotpanel.tenants.audit import of_tenants
from iotpanel.tenants.models import Role, Tenant, User

from .access import tenants_of
from .audit_words import actor_of, changes, link_of
from .base import ReadOnlyAdmin

admin.site.unregister(LogEntry)


@admin.register(LogEntry)
class AuditLogAdmin(ReadOnlyAdmin):
    tenant_path = "additional_data__tenant"
    view_role = Role.ADMIN
    list_display = ("timestamp", "who", "action", "kind", "what", "fields_changed")
    list_display_links = ("timestamp",)
    list_filter = (("action", ChoicesDropdownFilter), ("timestamp", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("content_type", "actor")
    search_fields = ("object_repr", "actor__username", "actor_email")
    fields = ("timestamp", "who", "remote_addr", "action", "kind", "what", "changes_table")
    readonly_fields = fields

    def within(self, request: HttpRequest, queryset: QuerySet[Any], needed: Role | None) -> QuerySet[Any]:
        if isinstance(request.user, User) and request.user.is_superuser:
            return queryset
        return of_tenants(queryset, tenants_of(request.user, needed)) if needed else queryset.none()

    def tenant_of(self, obj: Any) -> Tenant | None:
        return Tenant.objects.filter(pk=(obj.additional_data or {}).get("tenant") or 0).first()

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return list(self.list_filter)

    @admin.display(description=gettext_lazy("who"), ordering="actor__username")
    def who(self, obj: LogEntry) -> str:
        return actor_of(obj)

    @admin.display(description=gettext_lazy("kind"), ordering="content_type")
    def kind(self, obj: LogEntry) -> str:
        return str(obj.content_type.name)

    @admin.display(description=gettext_lazy("what"), ordering="object_repr")
    def what(self, obj: LogEntry) -> SafeString | str:
        return link_of(obj)

    @admin.display(description=gettext_lazy("changes"))
    def fields_changed(self, obj: LogEntry) -> str:
        names = [get_field_verbose_name(obj, name) for name in sorted(obj.changes_dict or {})]
        return ", ".join(names[:8]) + (" …" if len(names) > 8 else "")

    @admin.display(description=gettext_lazy("changes"))
    def changes_table(self, obj: LogEntry) -> SafeString:
        return changes(obj)
