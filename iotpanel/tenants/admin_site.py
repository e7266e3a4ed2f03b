"""The admin's site: open to every member of a tenant, each role seeing what is theirs. Signing in is the pages' affair."""

from typing import Any

from django.conf import settings
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from unfold.sites import UnfoldAdminSite


class AdminConfig(DjangoAdminConfig):
    default_site = "iotpanel.tenants.admin_site.Site"


class Site(UnfoldAdminSite):
    """Django asks for `is_staff`; here a membership (or being a superuser) is what opens the admin."""

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        if not user.is_authenticated or not user.is_active:
            return False
        return user.is_superuser or user.memberships.exists()

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The pages' one: it knows second factors."""
        return redirect("account_change_password")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Ends the session of the pages too: it is the same."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        logout(request)
        return redirect(settings.LOGOUT_REDIRECT_URL)
