"""What the database says now about the devices of a connection: where live data begin, and where they were interrupted."""

from collections.abc import Collection, Iterable

from devices.models import Device, DevicePresence
from iotpanel.tenants.models import Tenant
from telemetry import latest

from .wire import Reading, Status

MICROSECONDS = 1_000_000


def ids_of(tenant: Tenant, keys: Iterable[str]) -> dict[str, int]:
    """Keys to ids; what does not exist in this tenant is left out."""
    wanted = [key for key in keys if "\0" not in key]
    return dict(Device.objects.for_tenant(tenant).filter(key__in=wanted).values_list("key", "pk"))


def newest_readings(device_ids: Collection[int]) -> list[Reading]:
    values = latest.read(device_ids)
    return [Reading(device_id, name, at, value) for device_id, properties in values.items() for name, (value, at) in properties.items()]


def status_of(device_ids: Collection[int]) -> list[Status]:
    rows = DevicePresence.objects.filter(device_id__in=device_ids).values_list(
        "device_id", "device__key", "device__tenant_id", "online", "changed_at"
    )
    return [
        Status(device_id, key, tenant_id, online, None if changed_at is None else round(changed_at.timestamp() * MICROSECONDS))
        for device_id, key, tenant_id, online, changed_at in rows
    ]
