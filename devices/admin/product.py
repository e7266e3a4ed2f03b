"""Products: what a kind of device says, how it is read, and how long it is kept."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from devices import products
from devices.models import Product
from devices.product_retention import ROLLUPS
from iotpanel.tenants.admin.base import TenantModelAdmin

from .product_form import PARTS, ProductForm


@admin.register(Product)
class ProductAdmin(TenantModelAdmin):
    form = ProductForm
    list_display = ("name", "key", "codec_kind", "device_count", "model_size", "updated_at")
    list_filter = (("codec_kind", ChoicesDropdownFilter),)
    search_fields = ("name", "key", "description")
    ordering = ("name", "id")  # the model's own is void where devices are counted
    autocomplete_fields = ("child_product",)
    readonly_fields = ("device_count",)
    change_form_outer_after_template = None
    fieldsets = (
        (None, {"fields": (("tenant", "key"), "name", "description", "device_count")}),
        (gettext_lazy("Thing model"), {"classes": ("tab",), "fields": PARTS}),
        (gettext_lazy("Codec"), {"classes": ("tab",), "fields": ("codec_kind", "codec_script", "codec_samples")}),
        (gettext_lazy("Topics"), {"classes": ("tab",), "fields": ("topics",)}),
        (
            gettext_lazy("Policies"),
            {
                "classes": ("tab",),
                "fields": (
                    ("offline_after", "unknown_properties"),
                    "command_window",
                    "firmware_key",
                    ("register_children", "child_product"),
                    ("rate_limit", "rate_burst"),
                    ("retention_days", "archive_days"),
                    ("rollup_minute", "rollup_hour", "rollup_day"),
                    "rollup_properties",
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(devices_here=Count("devices"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new product has no devices to count."""
        shown = super().get_fieldsets(request, obj)
        if obj is not None:
            return shown
        first = {**shown[0][1], "fields": tuple(field for field in shown[0][1]["fields"] if field != "device_count")}
        return ((shown[0][0], first), *shown[1:])

    @admin.display(description=gettext_lazy("devices"), ordering="devices_here")
    def device_count(self, obj: Any) -> SafeString:
        url = reverse("admin:devices_device_changelist")
        return format_html('<a href="{}?product__id__exact={}">{}</a>', url, obj.pk, obj.devices_here)

    @admin.display(description=gettext_lazy("thing model"))
    def model_size(self, obj: Product) -> str:
        sizes = {part: len(obj.thing_model.get(part) or []) for part in PARTS}
        return _("properties: %(properties)d, events: %(events)d, commands: %(commands)d") % sizes

    def values_of(self, form: Any, cleaned: dict[str, Any]) -> dict[str, Any]:
        """The four tables are one thing model, the ages one retention."""
        ages = [*(f"rollup_{rollup}" for rollup in ROLLUPS), "rollup_properties"]
        values = {name: value for name, value in cleaned.items() if name not in PARTS and name not in ages}
        if any(part in cleaned for part in PARTS):
            values["thing_model"] = {part: form.cleaned_data.get(part, []) for part in PARTS}
        if any(age in cleaned for age in ages):
            values["rollup_retention"] = _rollups(form.cleaned_data)
        return values

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Product:
        return products.create_product(values.pop("tenant"), **values)

    def update(self, request: HttpRequest, obj: Product, changes: dict[str, Any]) -> None:
        products.update_product(obj, **changes)

    def remove(self, request: HttpRequest, obj: Product) -> None:
        products.delete_product(obj)

    def blockers(self, obj: Product) -> list[str]:
        return [_("device %(device)s") % {"device": key} for key in obj.devices.values_list("key", flat=True)[:20]]


def _rollups(cleaned: dict[str, Any]) -> dict[str, Any]:
    rows = [row for row in cleaned.get("rollup_properties") or [] if isinstance(row, dict)]
    own = {row.get("property", ""): {name: days for name, days in row.items() if name != "property"} for row in rows}
    return {**{rollup: cleaned.get(f"rollup_{rollup}") for rollup in ROLLUPS}, "properties": own}
