"""The tenant in which a page works: chosen once, kept in the session, checked at every request."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from .models import Role, Tenant, User
from .permissions import role_of

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

SESSION_KEY = "tenant"
View = Callable[..., HttpResponseBase]


class TenantRequest(HttpRequest):
    """A signed-in person's request, as a view behind `tenant_page` gets it."""

    if TYPE_CHECKING:
        user: User
        tenant: Tenant
        role: Role
        htmx: HtmxDetails


def current_tenant(request: HttpRequest) -> tuple[Tenant, Role] | None:
    """The tenant that a link names (`?tenant=`), else that of the session, or the person's first one, with their role in it.

    None where they have none. Links come with messages to people, who may work in another tenant just then.
    """
    if not isinstance(request.user, User):
        return None
    mine = Tenant.objects.for_user(request.user)
    named = request.GET.get(SESSION_KEY, "").replace("\0", "") if request.method == "GET" else ""
    wanted = [key for key in (named, request.session.get(SESSION_KEY)) if key]
    tenant = next((found for key in wanted if (found := mine.filter(key=key).first())), None) or mine.order_by("created_at", "pk").first()
    role = role_of(request.user, tenant) if tenant else None
    return (tenant, role) if tenant and role else None


def tenant_page(needed: Role = Role.VIEWER) -> Callable[[Callable[..., HttpResponseBase]], View]:
    """A view for people who are signed in and may do in the current tenant what `needed` may; sets `request.tenant` and `.role`.

    Strangers are sent to sign in, people without a tenant to a page that says so; too small a role is a 403.
    """

    def decorate(view: Callable[..., HttpResponseBase]) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            found = current_tenant(request)
            if found is None:
                return redirect("no-tenant")
            request = cast(TenantRequest, request)
            request.tenant, request.role = found
            if request.session.get(SESSION_KEY) != request.tenant.key:  # what the page links to in REST works in the same tenant
                request.session[SESSION_KEY] = request.tenant.key
            if not request.role.allows(needed):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return cast(View, login_required(guarded))

    return decorate
