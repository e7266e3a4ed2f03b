"""One noun per file; import them from here."""

from .attribute import Attribute
from .dead_letter import DeadLetterRecord
from .erasure import Erasure
from .event import Event
from .latest import Latest
from .ledger import LedgerEntry, LedgerHour
from .report import ReportRow
from .rollup import DirtyBucket, RollupDay, RollupFrontier, RollupHour, RollupMinute

__all__ = [
    "Attribute",
    "DeadLetterRecord",
    "DirtyBucket",
    "Erasure",
    "Event",
    "Latest",
    "LedgerEntry",
    "LedgerHour",
    "ReportRow",
    "RollupDay",
    "RollupFrontier",
    "RollupHour",
    "RollupMinute",
]
