"""The admin of the registry, one noun per file."""

from . import device, group, product

__all__ = ["device", "group", "product"]
