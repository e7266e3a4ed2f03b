"""One noun per file; import them from here."""

from .credential import Credential
from .device import Device, DeviceSet
from .group import Group, GroupSet
from .presence import DevicePresence
from .product import Product

__all__ = ["Credential", "Device", "DevicePresence", "DeviceSet", "Group", "GroupSet", "Product"]
