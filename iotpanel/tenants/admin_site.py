"""The admin's site: open to every member of a tenant, each role seeing what is theirs. Signing in is the pages' affair."""

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.contrib.auth import logout
from django.core import checks
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from unfold.sites import UnfoldAdminSite


class AdminConfig(SimpleAdminConfig):
    """The admin's modules are loaded with the addresses, by `iotpanel.urls`.

    They take a second of a core, which a worker, beat or a command would spend for nothing at each start.
    """

    default_site = "iotpanel.tenants.admin_site.Site"

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_registered, checks.Tags.admin)


def check_registered(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Django's own look at every registered model, once they are registered."""
    admin.autodiscover()
    return check_admin_app(app_configs, **kwargs)


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
