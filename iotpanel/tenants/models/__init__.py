"""One noun per file; import them from here."""

from .api_key import ApiKey
from .membership import Membership, Role
from .scoping import TenantQuerySet
from .tenant import Tenant
from .user import User

__all__ = ["ApiKey", "Membership", "Role", "Tenant", "TenantQuerySet", "User"]
