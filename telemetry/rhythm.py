"""How often a property comes: what the thing model expects, else what the readings themselves show."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from django.db.models import Count, Sum
from django.utils import timezone

from telemetry.models import ReportRow, RollupHour

SAMPLE = 120  # newest reports looked at
LEAST = 4  # readings that make a rhythm
STEADY = 3.0  # nine of ten pauses are at most this many medians long
DAY = timedelta(days=1)


def estimate(device_id: int, now: datetime | None = None) -> dict[str, float]:
    """Seconds between readings by property, for those of the last day that come steadily; the others are missing."""
    now = now or timezone.now()
    rows = ReportRow.objects.filter(device_id=device_id, at__gte=now - DAY, at__lte=now).order_by("-at")
    instants: dict[str, list[float]] = {}
    for at, values in rows.values_list("at", "values")[:SAMPLE]:
        for name in values:
            instants.setdefault(name, []).append(at.timestamp())
    slow = [name for name, times in instants.items() if len(times) < LEAST]
    found = _by_the_hour(device_id, slow, now)
    found.update({name: pause for name, times in instants.items() if (pause := steady(times))})
    return found


def steady(times: Iterable[float]) -> float | None:
    """The usual pause between instants (seconds), None where there are too few of them or they come as they like."""
    ordered = sorted(times)
    pauses = sorted(later - earlier for earlier, later in pairwise(ordered))
    if len(ordered) < LEAST:
        return None
    usual = median(pauses)
    if usual <= 0 or pauses[int(len(pauses) * 0.9)] > STEADY * usual:
        return None
    return round(usual) if usual >= 10 else round(usual, 1)


def _by_the_hour(device_id: int, names: list[str], now: datetime) -> dict[str, float]:
    """For what comes too rarely to be in the sample: a reading in most hours of the day is a rhythm of hours."""
    if not names:
        return {}
    hours = RollupHour.objects.filter(device_id=device_id, property__in=names, bucket__gte=now - DAY)
    counted = hours.values_list("property").annotate(Sum("count"), Count("bucket")).order_by()
    often = [(name, total) for name, total, hours_with in counted if total >= LEAST and hours_with * 2 >= min(total, 24)]
    return {name: round(DAY.total_seconds() / total) for name, total in often}
