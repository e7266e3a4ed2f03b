"""Members of a tenant: admins see them, owners change them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from iotpanel.tenants import members
from iotpanel.tenants.models import Membership, Role

from .base import TenantModelAdmin, VerbForm


class MembershipForm(VerbForm):
    class Meta:
        model = Membership
        fields = ("tenant", "role")


class NewMembershipForm(VerbForm):
    """By user name, because an owner can't see the accounts of other tenants."""

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Of somebody who has an account, or a new one."),
    )
    email = forms.EmailField(label=_("Email"), required=False, widget=UnfoldAdminEmailInputWidget)
    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=_("For a new account. Empty: they sign in by sign-on only."),
    )

    class Meta:
        model = Membership
        fields = ("tenant", "role")


@admin.register(Membership)
class MembershipAdmin(TenantModelAdmin):
    form = MembershipForm
    conflict_field = "username"
    view_role = Role.ADMIN
    add_role = change_role = delete_role = Role.OWNER
    list_display = ("user", "full_name", "role", "last_login", "created_at")
    list_filter = (("role", ChoicesDropdownFilter),)
    list_select_related = ("user", "tenant")
    search_fields = ("user__username", "user__email", "user__first_name", "user__last_name")
    fields = ("user", "tenant", "role")
    add_fieldsets = ((None, {"fields": ("tenant", "username", "email", "password", "role")}),)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewMembershipForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_readonly_fields(request, obj), *(["user"] if obj else [])]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user", "tenant")

    @admin.display(description=_("name"))
    def full_name(self, obj: Membership) -> str:
        return str(obj.user.get_full_name())

    @admin.display(description=_("last sign-in"), ordering="user__last_login")
    def last_login(self, obj: Membership) -> Any:
        return obj.user.last_login

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Membership:
        tenant = values.pop("tenant")
        return members.add_member(tenant, **values | {"password": values["password"] or None})

    def update(self, request: HttpRequest, obj: Membership, changes: dict[str, Any]) -> None:
        members.update_member(Membership.objects.get(pk=obj.pk), **changes)

    def remove(self, request: HttpRequest, obj: Membership) -> None:
        members.remove_member(obj)
