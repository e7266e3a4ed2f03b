"""The admin of the registry, one noun per file."""

from . import command, device, group, product

__all__ = ["command", "device", "group", "product"]
