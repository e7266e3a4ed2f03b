"""What was: raw readings, buckets in any time zone, charts and CSV, each from the coarsest rollup that is exact."""

from .bucketed import buckets
from .chart import Chart, chart
from .errors import HistoryError
from .export import csv_lines
from .page import Bucket, Page
from .raw import raw

__all__ = ["Bucket", "Chart", "HistoryError", "Page", "buckets", "chart", "csv_lines", "raw"]
