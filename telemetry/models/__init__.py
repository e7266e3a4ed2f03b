"""One noun per file; import them from here."""

from .archive import ArchivedMessage
from .attribute import Attribute
from .attribute_change import AttributeChange
from .dead_letter import DeadLetterRecord
from .erasure import Erasure
from .event import Event
from .latest import Latest
from .ledger import LedgerEntry, LedgerHour, LedgerMinute
from .replay import ReplayRun
from .report import ReportRow
from .reprocess import ReprocessRun
from .rollup import DirtyBucket, Forgotten, RollupDay, RollupFrontier, RollupHour, RollupMinute

__all__ = [
    "ArchivedMessage",
    "Attribute",
    "AttributeChange",
    "DeadLetterRecord",
    "DirtyBucket",
    "Erasure",
    "Event",
    "Forgotten",
    "Latest",
    "LedgerEntry",
    "LedgerHour",
    "LedgerMinute",
    "ReplayRun",
    "ReportRow",
    "ReprocessRun",
    "RollupDay",
    "RollupFrontier",
    "RollupHour",
    "RollupMinute",
]
