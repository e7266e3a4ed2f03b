"""One noun per file; import them from here."""

from .command import Command, CommandState
from .credential import Credential
from .device import Device, DeviceSet
from .discovered import MAX_DISCOVERED, DiscoveredProperty
from .group import Group, GroupSet
from .presence import DevicePresence
from .product import Product

__all__ = [
    "MAX_DISCOVERED",
    "Command",
    "CommandState",
    "Credential",
    "Device",
    "DevicePresence",
    "DeviceSet",
    "DiscoveredProperty",
    "Group",
    "GroupSet",
    "Product",
]
