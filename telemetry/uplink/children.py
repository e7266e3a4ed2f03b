"""The children that a gateway speaks for: found, or made where its product allows."""

from devices import topics
from devices.directory import DeviceEntry, Directory
from devices.exceptions import Invalid


def child_of(gateway: DeviceEntry, key: str, directory: Directory) -> DeviceEntry:
    """The device of this key below the gateway, at any depth. Raises Invalid: unknown_child, wrong_device."""
    child = directory.device(key) if topics.is_device_key(key) else None
    if child is None and gateway.product.registers_children:
        return directory.register(gateway, key)
    if child is None or child.tenant_id != gateway.tenant_id:
        raise Invalid("unknown_child", f"“{key[:100]}” is no child of “{gateway.key}”")
    if not directory.is_below(child, gateway):
        raise Invalid("wrong_device", f"“{key}” is not below “{gateway.key}”")
    return child
