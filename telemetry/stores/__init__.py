"""Where readings are kept: a visible table, and the one that the settings choose."""

from functools import lru_cache

from django.conf import settings

from iotpanel.registry import Registry

from .base import Store

STORES: Registry[type[Store]] = Registry(
    "store",
    {
        "timescale": "telemetry.stores.timescale:TimescaleStore",
        "memory": "telemetry.stores.memory:MemoryStore",
    },
)


@lru_cache(maxsize=1)
def store() -> Store:
    """The store of this process."""
    return STORES[settings.TELEMETRY_STORE]()
