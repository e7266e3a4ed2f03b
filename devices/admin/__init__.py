"""The admin of the registry, one noun per file."""

from . import command, device, firmware, group, job, product

__all__ = ["command", "device", "firmware", "group", "job", "product"]
