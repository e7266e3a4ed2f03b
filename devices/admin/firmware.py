"""Firmware packages: uploaded, described, deleted; each refusal at its field."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from devices.firmware import packages
from devices.models import Firmware
from iotpanel.api.errors import ApiError, Conflict
from iotpanel.tenants.admin.base import TenantModelAdmin, VerbForm

FIELDS = {"file": "image"}  # what the verb calls it, and the form


class FirmwareForm(VerbForm):
    image = forms.FileField(label=gettext_lazy("Image"), widget=UnfoldAdminFileFieldWidget)
    sha256 = forms.CharField(label="SHA-256", required=False, widget=UnfoldAdminTextInputWidget)
    signature = forms.CharField(label=gettext_lazy("Signature (Ed25519, base64)"), required=False, widget=UnfoldAdminTextInputWidget)
    rollback = forms.BooleanField(
        label=gettext_lazy("It is older than the newest one, for a rollback"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    notes = forms.CharField(label=gettext_lazy("Notes"), required=False, strip=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))

    class Meta:
        model = Firmware
        fields = ("product", "version", "notes")


@admin.register(Firmware)
class FirmwareAdmin(TenantModelAdmin):
    form = FirmwareForm
    conflict_field = "version"
    list_display = ("version", "product", "shown_size", "shown_digest", "signed", "created_at", "person")
    list_filter = (("product", AutocompleteSelectFilter),)
    list_filter_submit = True
    list_select_related = ("product", "person")
    search_fields = ("version", "product__key", "sha256", "notes")
    autocomplete_fields = ("product",)
    fields = ("product", "version", "image", "sha256", "signature", "notes", "rollback")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A version is for good: only its notes can be changed."""
        return self.fields if obj is None else ("product", "version", "size", "shown_sha256", "shown_signature", "notes", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = [] if obj is None else ["product", "version", "size", "shown_sha256", "shown_signature", "created_at"]
        return [*super().get_readonly_fields(request, obj), *fixed]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is not None:
            form.base_fields = {name: field for name, field in form.base_fields.items() if name == "notes"}
        return form

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Firmware:
        image = values.pop("image")
        try:
            return packages.add_package(values.pop("product"), pieces=image.chunks(), person=request.user, **values)  # type: ignore[arg-type]
        except Conflict:
            raise
        except ApiError as error:
            raise ValidationError({FIELDS.get(name, name): texts for name, texts in (error.details or {}).items()}) from error

    def update(self, request: HttpRequest, obj: Firmware, changes: dict[str, Any]) -> None:
        packages.change_notes(obj, changes["notes"])

    def remove(self, request: HttpRequest, obj: Firmware) -> None:
        packages.delete_package(obj)

    @admin.display(description=gettext_lazy("size (bytes)"), ordering="size")
    def shown_size(self, obj: Firmware) -> str:
        return f"{obj.size:,}"

    @admin.display(description="SHA-256")
    def shown_digest(self, obj: Firmware) -> SafeString:
        return format_html('<code title="{}">{}</code>', obj.sha256, obj.sha256[:12])

    @admin.display(description="SHA-256")
    def shown_sha256(self, obj: Firmware) -> str:
        return obj.sha256

    @admin.display(description=gettext_lazy("Signature (Ed25519, base64)"))
    def shown_signature(self, obj: Firmware) -> str:
        return obj.signature or "–"

    @admin.display(description=gettext_lazy("signed"), boolean=True)
    def signed(self, obj: Firmware) -> bool:
        return bool(obj.signature)
