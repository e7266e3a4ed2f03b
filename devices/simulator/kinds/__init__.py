"""The kinds of simulated devices, by a visible table."""

from .base import Message, Simulated
from .climate import Climate
from .cold import ColdRoom
from .em300 import EM300
from .gateway import Gateway
from .meter import Meter
from .tracker import Tracker

__all__ = ["KINDS", "Message", "Simulated"]

# All at once, not on first use: they are small, and the fleet's process is to load nothing of the platform.
KINDS: dict[str, type[Simulated]] = {
    "climate": Climate,
    "meter": Meter,
    "tracker": Tracker,
    "gateway": Gateway,
    "em300": EM300,
    "cold": ColdRoom,
}
