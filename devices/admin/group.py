"""Groups as a tree."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.db.models.expressions import OrderBy, RawSQL
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from devices import groups
from devices.models import Group
from iotpanel.tenants.admin.base import TenantModelAdmin

# Names from the top down to the group: sorting by it puts each group below its parent.
_PATH = """(
    WITH RECURSIVE up(id, parent_id, path) AS (
        SELECT g.id, g.parent_id, ARRAY[lower(g.name), g.id::text] FROM devices_group g WHERE g.id = devices_group.id
        UNION ALL SELECT p.id, p.parent_id, ARRAY[lower(p.name), p.id::text] || up.path FROM devices_group p JOIN up ON p.id = up.parent_id
    ) SELECT path FROM up WHERE parent_id IS NULL
)"""


def _path() -> RawSQL:
    return RawSQL(_PATH, [])  # noqa: S611 - no input


@admin.register(Group)
class GroupAdmin(TenantModelAdmin):
    list_display = ("tree", "key", "device_count")
    search_fields = ("name", "key")
    fields = ("tenant", "key", "name", "parent")
    autocomplete_fields = ("parent",)
    list_per_page = 500
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(path=_path(), devices_here=Count("devices"))

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return ["tenant__name", OrderBy(_path())]

    @admin.display(description=gettext_lazy("name"))
    def tree(self, obj: Any) -> SafeString:
        depth = len(obj.path or []) // 2 - 1
        return format_html('<span class="tree-indent">{}</span>{}', "   " * (depth - 1) + "└─ " if depth > 0 else "", obj.name)

    @admin.display(description=gettext_lazy("devices"))
    def device_count(self, obj: Any) -> SafeString:
        url = reverse("admin:devices_device_changelist")
        return format_html('<a href="{}?group={}">{}</a>', url, obj.pk, obj.devices_here)

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Group:
        return groups.create_group(values.pop("tenant"), **values)

    def update(self, request: HttpRequest, obj: Group, changes: dict[str, Any]) -> None:
        groups.update_group(obj, **changes)

    def remove(self, request: HttpRequest, obj: Group) -> None:
        groups.delete_group(obj)

    def blockers(self, obj: Group) -> list[str]:
        return [_("%(group)s stands below it") % {"group": child.name} for child in obj.children.all()[:20]]
