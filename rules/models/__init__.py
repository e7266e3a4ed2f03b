"""One noun per file; import them from here."""

from .alarm import Alarm, AlarmEvent, AlarmSet, Severity
from .browser import Browser
from .channel import Channel
from .delivery import Delivery
from .firing_count import FiringCount
from .forwarder import Forwarder, Stream
from .maintenance import Maintenance
from .notice import Notice, NoticeMark
from .outbox import OutboxItem
from .rotation import Rotation
from .rule import Rule, RuleSet
from .state import RuleState
from .target import Target
from .timer import SceneRun, Schedule

__all__ = [
    "Alarm",
    "AlarmEvent",
    "AlarmSet",
    "Browser",
    "Channel",
    "Delivery",
    "FiringCount",
    "Forwarder",
    "Maintenance",
    "Notice",
    "NoticeMark",
    "OutboxItem",
    "Rotation",
    "Rule",
    "RuleSet",
    "RuleState",
    "SceneRun",
    "Schedule",
    "Severity",
    "Stream",
    "Target",
]
