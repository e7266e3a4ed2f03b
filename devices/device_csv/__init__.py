"""Devices as CSV: read with a dry run that names each bad row, written so that it can be read again."""

from .cells import COLUMNS, row_of
from .plan import Plan, RowPlan, make_plan
from .write import write

__all__ = ["COLUMNS", "Plan", "RowPlan", "make_plan", "row_of", "write"]
