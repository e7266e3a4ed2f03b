"""What the audit log notes beside a change: the tenant, by which it is shown or not."""

from typing import Any


class InHistory:
    """Mixed into models whose changes the tenant's people may read."""

    def get_additional_data(self) -> dict[str, Any]:
        """Called by django-auditlog with each change, also while the object is being deleted."""
        return {"tenant": self.history_tenant()}

    def history_tenant(self) -> int | None:
        return self.tenant_id  # type: ignore[attr-defined]
