"""The admin of what devices said."""

from . import dead_letter, device_panels, replays, reprocess

__all__ = ["dead_letter", "device_panels", "replays", "reprocess"]
