"""Who asks, where it is no person: a service with an API key."""

from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser

from iotpanel.tenants.models import ApiKey, Role


class Service(AnonymousUser):
    """Stands where a person's account stands (`request.user`), for requests made with an API key.

    It descends from AnonymousUser, so that whatever looks for a person finds none: no memberships,
    no superuser's rights, nobody to write into the audit log. What it may is in its key alone.
    """

    def __init__(self, api_key: ApiKey) -> None:
        super().__init__()
        self.api_key = api_key
        self.username = api_key.prefix  # type: ignore[assignment]
        self.throttle_ident = f"key:{api_key.pk}"

    @property
    def is_authenticated(self) -> bool:  # type: ignore[override]
        return True

    @property
    def is_anonymous(self) -> bool:  # type: ignore[override]
        return False


class Grant(NamedTuple):
    """What a request may do: a role, and the scopes that narrow it down (none: all that the role may)."""

    role: Role
    scopes: tuple[str, ...] = ()

    def allows(self, needed: Role, scope: str) -> bool:
        """Whether it reaches; `scope` is `<resource>:read` or `:write`, and writing includes reading."""
        if not self.role.allows(needed):
            return False
        resource, _colon, _verb = scope.partition(":")
        return not self.scopes or scope in self.scopes or (scope.endswith(":read") and f"{resource}:write" in self.scopes)
