"""The history of one object, from the audit log: pages, API and admin alike."""

from typing import Any

from auditlog.models import LogEntry
from django.contrib.admin.options import ModelAdmin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from .audit_words import actor_of, changes

SHOWN = 200


class WithHistory(ModelAdmin):
    """Mixed into a ModelAdmin: its history is the audit log's, not the list of what was done in the admin."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        found = LogEntry.objects.get_for_object(obj).select_related("actor").order_by("-timestamp")[:SHOWN]
        context = self.admin_site.each_context(request) | {
            "title": _("History of %(object)s") % {"object": obj},
            "entries": [(entry, actor_of(entry), changes(entry)) for entry in found],
            "opts": self.opts,
            "media": self.media,
            "back": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk]),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/iotpanel/history.html", context | (extra_context or {}))
