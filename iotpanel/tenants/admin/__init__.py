"""The admin of tenants and people, one noun per file; what every app's admin builds on is in `base`."""

from . import api_key, audit_log, membership, tenant, user

__all__ = ["api_key", "audit_log", "membership", "tenant", "user"]
