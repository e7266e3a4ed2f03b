"""What was: raw readings, buckets in any time zone and CSV, each from the coarsest rollup that is exact."""

from .bucketed import buckets
from .errors import HistoryError
from .export import csv_lines
from .page import Bucket, Page
from .raw import raw

__all__ = ["Bucket", "HistoryError", "Page", "buckets", "csv_lines", "raw"]
