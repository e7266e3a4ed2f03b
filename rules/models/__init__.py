"""One noun per file; import them from here."""

from .alarm import Alarm, AlarmEvent, AlarmSet, Severity
from .maintenance import Maintenance
from .outbox import OutboxItem
from .rotation import Rotation
from .rule import Rule, RuleSet
from .state import RuleState
from .timer import SceneRun, Schedule

__all__ = [
    "Alarm",
    "AlarmEvent",
    "AlarmSet",
    "Maintenance",
    "OutboxItem",
    "Rotation",
    "Rule",
    "RuleSet",
    "RuleState",
    "SceneRun",
    "Schedule",
    "Severity",
]
