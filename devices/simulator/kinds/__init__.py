"""The kinds of simulated devices, by a visible table."""

from iotpanel.registry import Registry

from .base import Message, Simulated

__all__ = ["KINDS", "Message", "Simulated"]

KINDS: Registry[type[Simulated]] = Registry(
    "simulated device",
    {
        "climate": "devices.simulator.kinds.climate:Climate",
        "meter": "devices.simulator.kinds.meter:Meter",
        "tracker": "devices.simulator.kinds.tracker:Tracker",
        "gateway": "devices.simulator.kinds.gateway:Gateway",
        "em300": "devices.simulator.kinds.em300:EM300",
        "cold": "devices.simulator.kinds.cold:ColdRoom",
    },
)
