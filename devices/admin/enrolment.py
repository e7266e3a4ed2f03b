"""Who comes in and how: serial numbers with the queue of those that wait, and the certificates that devices have."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateTimeFilter

from devices import certificates
from devices.enrolment import serials
from devices.models import DeviceCertificate, Serial
from iotpanel.api.errors import ApiError
from iotpanel.tenants.admin.base import ReadOnlyAdmin
from iotpanel.tenants.models import Role

from . import marks

TONES = {"registered": "good", "denied": "major"}
ENDS = {"revoked": "major", "ending": "minor"}


class DecidedAdmin(ReadOnlyAdmin):
    """Of what devices have brought about: looked at and decided on, never typed in."""

    list_filter_submit = True

    @admin.display(description=gettext_lazy("device"), ordering="device__key")
    def shown_device(self, obj: Any) -> SafeString | str:
        return marks.to_device(obj.device) if obj.device else "–"


@admin.register(Serial)
class SerialAdmin(DecidedAdmin):
    tenant_path = "product__tenant"
    list_display = ("serial", "product", "shown_state", "shown_device", "asked", "registered")
    list_filter = (("state", ChoicesDropdownFilter), ("product", AutocompleteSelectFilter))
    list_select_related = ("product", "device")
    search_fields = ("serial", "device__key")
    actions = ("approve_many", "deny_many")
    fields = (("serial", "product"), "state", "device", ("asked_at", "address"), ("decided_at", "registered_at"), "created_at")

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.permits(request, Role.OPERATOR, obj))

    @admin.action(description=gettext_lazy("Approve"), permissions=["decide"])
    def approve_many(self, request: HttpRequest, queryset: QuerySet[Serial]) -> None:
        self._decide(request, queryset, serials.approve)

    @admin.action(description=gettext_lazy("Deny"), permissions=["decide"])
    def deny_many(self, request: HttpRequest, queryset: QuerySet[Serial]) -> None:
        self._decide(request, queryset, serials.deny)

    def _decide(self, request: HttpRequest, queryset: QuerySet[Serial], decide: Callable[[Serial], Serial]) -> None:
        done = kept = 0
        for row in self.only_permitted(request, queryset, Role.OPERATOR):
            try:
                decide(row)
                done += 1
            except ApiError:
                kept += 1
        words = _("%(done)d decided; %(kept)d left as they were.") % {"done": done, "kept": kept}
        messages.add_message(request, messages.WARNING if kept else messages.SUCCESS, words)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def shown_state(self, obj: Serial) -> SafeString:
        return marks.badge(obj.get_state_display(), TONES.get(obj.state, ""))

    @admin.display(description=gettext_lazy("asked at"), ordering="asked_at")
    def asked(self, obj: Serial) -> SafeString | str:
        return marks.moment(obj.asked_at)

    @admin.display(description=gettext_lazy("registered at"), ordering="registered_at")
    def registered(self, obj: Serial) -> SafeString | str:
        return marks.moment(obj.registered_at)


@admin.register(DeviceCertificate)
class CertificateAdmin(DecidedAdmin):
    tenant_path = "device__tenant"
    list_display = ("key", "shown_device", "shown_state", "key_kind", "ends", "serial")
    list_filter = (("device", AutocompleteSelectFilter), ("not_after", RangeDateTimeFilter))
    list_select_related = ("device",)
    search_fields = ("key", "serial", "fingerprint")
    actions = ("revoke_many",)
    fields = (("key", "shown_device"), "key_kind", "serial", "fingerprint", ("not_before", "not_after"), ("created_at", "revoked_at"))
    readonly_fields = ("shown_device",)

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.permits(request, Role.ADMIN, obj))

    @admin.action(description=gettext_lazy("Revoke"), permissions=["revoke"])
    def revoke_many(self, request: HttpRequest, queryset: QuerySet[DeviceCertificate]) -> None:
        gone = [certificates.revoke(each) for each in self.only_permitted(request, queryset, Role.ADMIN)]
        messages.success(request, _("%(count)d revoked; their sessions end within seconds.") % {"count": len(gone)})

    @admin.display(description=gettext_lazy("state"))
    def shown_state(self, obj: DeviceCertificate) -> SafeString:
        words = {"active": _("in force"), "ending": _("ends soon"), "ended": _("ended"), "revoked": _("revoked")}
        return marks.badge(words[obj.state], ENDS.get(obj.state, ""))

    @admin.display(description=gettext_lazy("valid until"), ordering="not_after")
    def ends(self, obj: DeviceCertificate) -> SafeString | str:
        return marks.moment(obj.not_after)
