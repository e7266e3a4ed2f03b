"""One noun per file; import them from here."""

from .api_key import ApiKey
from .history import InHistory
from .membership import Membership, Role
from .scoping import TenantQuerySet
from .tenant import Tenant
from .user import User

__all__ = ["ApiKey", "InHistory", "Membership", "Role", "Tenant", "TenantQuerySet", "User"]
