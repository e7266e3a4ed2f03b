"""Claim codes: which devices wait for somebody, who has claimed which, and an end to codes that nobody has used."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, RadioFilter, RangeDateTimeFilter

from devices.enrolment import claims
from devices.models import Claim
from iotpanel.api.errors import ApiError
from iotpanel.tenants.admin.pages import ask, confirmed
from iotpanel.tenants.models import Role

from . import marks
from .enrolment import DecidedAdmin

STATES = {
    "waiting": (gettext_lazy("waiting"), "minor"),
    "claimed": (gettext_lazy("claimed"), "good"),
    "expired": (gettext_lazy("expired"), ""),
}


class StateFilter(RadioFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state, words) for state, (words, _tone) in STATES.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        state = self.value()
        return queryset.in_state(state) if state in STATES else None


@admin.register(Claim)
class ClaimAdmin(DecidedAdmin):
    tenant_path = "device__tenant"
    list_display = ("shown_key", "shown_product", "shown_state", "by_any", "ends", "claimed", "claimed_by")
    list_filter = (
        StateFilter,
        ("transferable", BooleanRadioFilter),
        ("device__product", AutocompleteSelectFilter),
        ("expires_at", RangeDateTimeFilter),
    )
    search_fields = ("device__key",)
    actions = ("revoke_many",)
    fields = (
        ("shown_device", "shown_product"),
        ("shown_state", "by_any"),
        ("created_at", "expires_at"),
        ("claimed_at", "claimed_by"),
    )
    readonly_fields = ("shown_device", "shown_product", "shown_state", "by_any")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("device__product", "claimed_by")

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.permits(request, Role.ADMIN, obj))

    @admin.action(description=gettext_lazy("Revoke"), permissions=["revoke"])
    def revoke_many(self, request: HttpRequest, queryset: QuerySet[Claim]) -> HttpResponse | None:
        chosen = self.only_permitted(request, queryset, Role.ADMIN)
        if not confirmed(request):
            count = chosen.filter(claimed_at=None).count()
            question = ngettext("Revoke %(count)d claim code?", "Revoke %(count)d claim codes?", count) % {"count": count}
            effect = _("It opens nothing from now on. The device stays disabled until it gets a new code or somebody enables it.")
            names = chosen.filter(claimed_at=None).values_list("device__key", flat=True)[:100]
            return ask(request, self, question=question, consequence=effect, verb=_("Revoke"), names=names, back=request.get_full_path())
        gone = kept = 0
        for row in chosen:
            try:
                claims.revoke(row)
                gone += 1
            except ApiError:
                kept += 1
        words = _("%(gone)d revoked; %(kept)d had been claimed.") % {"gone": gone, "kept": kept}
        messages.add_message(request, messages.WARNING if kept else messages.SUCCESS, words)
        return None

    @admin.display(description=gettext_lazy("device"), ordering="device__key")
    def shown_key(self, obj: Claim) -> str:
        return str(obj.device.key)

    @admin.display(description=gettext_lazy("product"), ordering="device__product__name")
    def shown_product(self, obj: Claim) -> SafeString:
        return marks.to_product(obj.device.product)

    @admin.display(description=gettext_lazy("state"))
    def shown_state(self, obj: Claim) -> SafeString:
        words, tone = STATES[obj.state]
        return marks.badge(words, tone)

    @admin.display(description=gettext_lazy("by any tenant"), ordering="transferable")
    def by_any(self, obj: Claim) -> str:
        return marks.flag(obj.transferable)

    @admin.display(description=gettext_lazy("expires at"), ordering="expires_at")
    def ends(self, obj: Claim) -> SafeString | str:
        return marks.moment(obj.expires_at)

    @admin.display(description=gettext_lazy("claimed at"), ordering="claimed_at")
    def claimed(self, obj: Claim) -> SafeString | str:
        return marks.moment(obj.claimed_at)
