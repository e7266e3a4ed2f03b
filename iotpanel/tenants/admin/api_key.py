"""API keys: issued with the key shown once, narrowed, revoked."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from iotpanel.tenants import api_keys
from iotpanel.tenants.models import ApiKey, Role, User

from .base import TenantModelAdmin, VerbForm
from .pages import shown_once


class ScopesField(forms.CharField):
    """Scopes by commas or blanks."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return sorted(set(str(value or "").replace(",", " ").split()))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class ApiKeyForm(VerbForm):
    scopes = ScopesField(
        required=False,
        label=gettext_lazy("Scopes"),
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Such as devices:read, dead-letters:write. Empty: all that the role may."),
    )

    class Meta:
        model = ApiKey
        fields = ("tenant", "name", "role", "scopes", "expires_at")


@admin.register(ApiKey)
class ApiKeyAdmin(TenantModelAdmin):
    form = ApiKeyForm
    conflict_field = "name"
    view_role = Role.ADMIN
    list_display = ("name", "prefix", "role", "shown_scopes", "state", "last_used_at", "created_by")
    list_filter = (("role", ChoicesDropdownFilter),)
    list_select_related = ("created_by", "tenant")
    search_fields = ("name", "prefix")
    fields = ("tenant", "name", "role", "scopes", "expires_at", "prefix", "last_used_at", "created_by", "created_at")
    add_fieldsets = ((None, {"fields": ("tenant", "name", "role", "scopes", "expires_at")}),)
    readonly_fields = ("prefix", "last_used_at", "created_by", "created_at")

    @admin.display(description=gettext_lazy("scopes"))
    def shown_scopes(self, obj: ApiKey) -> str:
        return ", ".join(obj.scopes) or _("all of the role")

    @admin.display(description=gettext_lazy("expires at"), ordering="expires_at")
    def state(self, obj: ApiKey) -> Any:
        return _("expired") if obj.expired else obj.expires_at

    def create(self, request: HttpRequest, values: dict[str, Any]) -> ApiKey:
        tenant = values.pop("tenant")
        assert isinstance(request.user, User)
        api_key, key, signing_secret = api_keys.issue(tenant, created_by=request.user, **values)
        request.shown = [(_("API key"), key), (_("Signing secret"), signing_secret)]  # type: ignore[attr-defined]
        return api_key

    def update(self, request: HttpRequest, obj: ApiKey, changes: dict[str, Any]) -> None:
        assert isinstance(request.user, User)
        api_keys.update_api_key(obj, changed_by=request.user, **changes)

    def remove(self, request: HttpRequest, obj: ApiKey) -> None:
        api_keys.revoke(obj)

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        return shown_once(
            request,
            self,
            title=_("API key “%(name)s”") % {"name": obj.name},
            explanation=_("Copy these now: they are not kept in readable form, and nobody can show them again."),
            secrets=request.shown,  # type: ignore[attr-defined]
            links=[(_("API keys"), reverse("admin:tenants_apikey_changelist"))],
        )
