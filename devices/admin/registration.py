"""Registration policies: who may register a device of a product; written by the same verb as pages and API."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextareaWidget

from devices.enrolment import policies
from devices.models import RegistrationMode, RegistrationPolicy, Serial, SerialState
from iotpanel.tenants.admin.base import TenantModelAdmin, VerbForm

from . import marks

TONES = {RegistrationMode.LISTED: "good", RegistrationMode.OPEN: "minor"}


class PolicyForm(VerbForm):
    authority = forms.CharField(
        label=gettext_lazy("Authorities of the factory"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"class": "is-code is-short", "spellcheck": "false", "rows": 8}),
        help_text=gettext_lazy(
            "Certificates in PEM. Devices whose own certificate leads to one of them register without the product's secret."
        ),
    )

    class Meta:
        model = RegistrationPolicy
        fields = ("product", "mode", "approval", "key_template", "max_devices", "common_name", "authority")
        labels = {"max_devices": gettext_lazy("At most so many without a list")}


@admin.register(RegistrationPolicy)
class PolicyAdmin(TenantModelAdmin):
    form = PolicyForm
    tenant_path = "product__tenant"
    conflict_field = "product"
    list_display = ("product", "shown_mode", "approved", "registered", "secret_made")
    list_filter = (("mode", ChoicesDropdownFilter), ("approval", BooleanRadioFilter), ("product", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related = ("product",)
    ordering = ("product__name", "pk")
    search_fields = ("product__key", "product__name")
    autocomplete_fields = ("product",)
    fields = ("product", ("mode", "approval"), "key_template", "max_devices", "common_name", "authority")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the number of devices, which is asked for the rows of one page only."""
        of_product = Serial.objects.filter(product=OuterRef("product"), state=SerialState.REGISTERED).order_by().values("product")
        count = Subquery(of_product.annotate(count=Count("pk")).values("count"))
        return super().get_queryset(request).select_related("product").annotate(devices_here=Coalesce(count, 0))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It goes with its product; whoever wants none closes it."""
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj is None else (("product", "registered"), *self.fields[1:], "secret_made_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """A policy stays its product's."""
        return [*super().get_readonly_fields(request, obj), *(["product", "registered", "secret_made_at"] if obj is not None else [])]

    def create(self, request: HttpRequest, values: dict[str, Any]) -> RegistrationPolicy:
        product = values.pop("product")
        if RegistrationPolicy.objects.filter(product=product).exists():
            raise ValidationError({"product": _("This product has a policy already: change that one.")})
        return policies.set_policy(product, **values)

    def update(self, request: HttpRequest, obj: RegistrationPolicy, changes: dict[str, Any]) -> None:
        policies.set_policy(obj.product, **changes)

    @admin.display(description=gettext_lazy("who may register"), ordering="mode")
    def shown_mode(self, obj: RegistrationPolicy) -> SafeString:
        return marks.badge(obj.get_mode_display(), TONES.get(RegistrationMode(obj.mode), ""))

    @admin.display(description=gettext_lazy("needs approval"), ordering="approval")
    def approved(self, obj: RegistrationPolicy) -> str:
        return marks.flag(obj.approval)

    @admin.display(description=gettext_lazy("devices registered"), ordering="devices_here")
    def registered(self, obj: Any) -> str:
        return _("%(count)d of at most %(most)d") % {"count": obj.devices_here, "most": obj.max_devices}

    @admin.display(description=gettext_lazy("secret made at"), ordering="secret_made_at")
    def secret_made(self, obj: RegistrationPolicy) -> SafeString | str:
        return marks.moment(obj.secret_made_at)
