"""One noun per file; import them from here."""

from .outbox import OutboxItem

__all__ = ["OutboxItem"]
