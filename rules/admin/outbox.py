"""What was promised and given up, put back by hand; and what was sent and answered, for looking only."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from iotpanel.tenants.admin.base import ReadOnlyAdmin
from iotpanel.tenants.models import Role
from rules.delivery import queue
from rules.models import Delivery, OutboxItem


@admin.register(OutboxItem)
class OutboxAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "target", "messages", "state", "attempts", "due_at", "last_error", "created_at")
    list_filter = (("state", ChoicesDropdownFilter),)
    fields = ("kind", "target", "payload", "messages", "state", "attempts", "due_at", "last_error", "created_at", "delivered_at")
    actions = ["put_back"]

    def has_put_back_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.permits(request, Role.OPERATOR, obj)

    @admin.action(description=gettext_lazy("Try again"), permissions=["put_back"])
    def put_back(self, request: HttpRequest, queryset: QuerySet[OutboxItem]) -> None:
        number = queue.put_back(self.only_permitted(request, queryset, Role.OPERATOR))
        messages.success(request, _("%(number)d wait again.") % {"number": number})


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "target", "ok", "test", "messages", "answer")
    fields = ("at", "kind", "target", "ok", "test", "messages", "sent", "answer")
