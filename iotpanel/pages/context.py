"""What every page's frame needs: tenant, role, navigation, languages."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from iotpanel.tenants.models import Role, Tenant, User
from iotpanel.tenants.web import current_tenant
from rules import notices
from rules.models import Channel

from . import offline, wording
from .navigation import sections


class Shell:
    """Looked up only where a template asks, so that fragments and the API pay nothing."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.tenant: Tenant | None = getattr(request, "tenant", None)
        self.role: Role | None = getattr(request, "role", None)
        if self.tenant is None and (found := current_tenant(request)):
            self.tenant, self.role = found

    @property
    def sections(self) -> list[Any]:
        return sections(self.request.path, self.tenant)

    @property
    def tenants(self) -> list[Tenant]:
        user = self.request.user
        return list(Tenant.objects.for_user(user).order_by("name")[:50]) if isinstance(user, User) else []

    @property
    def languages(self) -> list[tuple[str, str]]:
        """Each called as its speakers call it, never translated."""
        return list(settings.LANGUAGES)

    @property
    def mail(self) -> bool:
        """Whether a forgotten password can be mended by mail."""
        return bool(settings.EMAIL_URL)

    @property
    def words(self) -> dict[str, str]:
        """How scripts write lengths of time."""
        return wording.span_samples()

    @property
    def worker(self) -> str:
        """Where the service worker's script is."""
        return offline.worker_address()

    @property
    def unread(self) -> int:
        """Notices that this person has not seen, up to a bound."""
        user = self.request.user
        return notices.count_unread(self.tenant, user) if self.tenant and isinstance(user, User) else 0

    @property
    def told(self) -> bool:
        """Whether notices come to the pages of this tenant at all."""
        return self.tenant is not None and Channel.objects.for_tenant(self.tenant).filter(kind="inpage", enabled=True).exists()

    @property
    def may_operate(self) -> bool:
        return self.role is not None and self.role.allows(Role.OPERATOR)

    @property
    def may_edit(self) -> bool:
        return self.role is not None and self.role.allows(Role.ADMIN)

    @property
    def may_own(self) -> bool:
        return self.role is not None and self.role.allows(Role.OWNER)


def shell(request: HttpRequest) -> dict[str, Any]:
    """`shell` in every template."""
    return {"shell": SimpleLazyObject(lambda: Shell(request))}
