"""One noun per file; import them from here."""

from .attribute import Attribute
from .dead_letter import DeadLetterRecord
from .erasure import Erasure
from .event import Event
from .latest import Latest
from .ledger import LedgerEntry, LedgerHour, LedgerMinute
from .report import ReportRow
from .rollup import DirtyBucket, Forgotten, RollupDay, RollupFrontier, RollupHour, RollupMinute

__all__ = [
    "Attribute",
    "DeadLetterRecord",
    "DirtyBucket",
    "Erasure",
    "Event",
    "Forgotten",
    "Latest",
    "LedgerEntry",
    "LedgerHour",
    "LedgerMinute",
    "ReportRow",
    "RollupDay",
    "RollupFrontier",
    "RollupHour",
    "RollupMinute",
]
