"""What is missing: silences of devices that are expected to come, and how many reports did not come in them.

How often a device is expected is what its thing model says (the shortest `period` of a property), else what its own
reports show. One that comes as it likes misses nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from devices.models import Device
from iotpanel.statements import execute

from .rhythm import steady
from .stores.backend.packed import bigints

EXPECTED = 2  # a silence longer than so many periods is a gap
MOST = 1_000  # gaps of one device that are listed
SAMPLE = 40  # newest reports that a rhythm is learnt from: few, so that a changed one is soon believed
LOOK_BACK = timedelta(days=30)  # for the report before a window

SAMPLES = """
    SELECT device_id, extract(epoch FROM at)::float8 FROM unnest(%s::bigint[]) AS device_id CROSS JOIN LATERAL (
        SELECT at FROM telemetry_report AS row
        WHERE row.device_id = device_id.device_id AND at >= %s AND at <= %s ORDER BY at DESC LIMIT %s
    ) AS newest
"""
# Each pause is cut to the window; the one that still lasts ends with it. Of a learnt rhythm a pause is no gap where the
# three just before it were about as long: then the device came less often, and nothing is missing.
PAUSES = """
    WITH wanted AS (
        SELECT * FROM unnest(%(devices)s::bigint[], %(periods)s::float8[], %(learnt)s::boolean[]) AS wanted (device_id, period, learnt)
    ), pauses AS (
        SELECT device_id, period, learnt, at AS until, lasts, lag(at) OVER (PARTITION BY device_id ORDER BY at, lasts) AS since
        FROM wanted CROSS JOIN LATERAL (
            (SELECT at, false AS lasts FROM telemetry_report AS row WHERE row.device_id = wanted.device_id
             AND at < %(start)s AND at >= %(long_before)s ORDER BY at DESC LIMIT 1)
            UNION ALL
            SELECT at, false FROM telemetry_report AS row WHERE row.device_id = wanted.device_id AND at >= %(start)s AND at <= %(end)s
            UNION ALL
            SELECT %(end)s::timestamptz, true
        ) AS heard
    ), judged AS (
        SELECT *, coalesce(
            min(until - since) OVER (PARTITION BY device_id ORDER BY until, lasts ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING),
            lead(until - since) OVER (PARTITION BY device_id ORDER BY until, lasts)
        ) AS shortest FROM pauses
    ), gaps AS (
        SELECT device_id, greatest(since, %(start)s) AS since, until, lasts,
               extract(epoch FROM until - greatest(since, %(start)s))::float8 AS seconds, period
        FROM judged WHERE since IS NOT NULL AND (lasts OR NOT learnt OR shortest IS NULL OR until - since > shortest * %(longest)s)
    ), counted AS (
        SELECT device_id, since, until, lasts, seconds,
               greatest(1, CASE WHEN lasts THEN floor(seconds / period) ELSE round(seconds / period) - 1 END)::bigint AS missing
        FROM gaps WHERE seconds > period * %(longest)s
    )
"""
HEARD = "SELECT 1 FROM telemetry_report WHERE device_id = %s AND at >= %s LIMIT 1"
LIST = PAUSES + "SELECT since, CASE WHEN NOT lasts THEN until END, seconds, missing FROM counted ORDER BY since DESC LIMIT %(most)s"  # noqa: S608
SUMS = PAUSES + "SELECT device_id, count(*), sum(missing)::bigint, sum(seconds) FROM counted GROUP BY 1"  # noqa: S608


class Period(NamedTuple):
    """How often a device is expected; `source` is `thing_model` or `learnt`."""

    seconds: float
    source: str


class Gap(NamedTuple):
    """Nothing was heard from `start` to `end` (None: it still lasts), and about so many reports are missing."""

    start: datetime
    end: datetime | None
    seconds: float
    missing: int


class Missing(NamedTuple):
    """The gaps of one device in a window together."""

    gaps: int = 0
    missing: int = 0
    seconds: float = 0


def model_period(thing_model: dict[str, Any]) -> float | None:
    """The shortest period that a thing model expects of a property, in seconds."""
    periods = [item.get("period") for item in thing_model.get("properties") or [] if isinstance(item, dict)]
    return min((float(period) for period in periods if isinstance(period, int | float) and period > 0), default=None)


def periods(devices: Iterable[Device], since: datetime, until: datetime, sample: int = SAMPLE) -> dict[int, Period]:
    """How often each of these devices (with their products) is expected; those that come as they like are left out."""
    every = list(devices)
    found = {device.pk: Period(known, "thing_model") for device in every if (known := model_period(device.product.thing_model))}
    others = [device.pk for device in every if device.pk not in found]
    return found | {device_id: Period(usual, "learnt") for device_id, usual in _learnt(others, since, until, sample).items()}


def _learnt(devices: Sequence[int], since: datetime, until: datetime, sample: int) -> dict[int, float]:
    instants: dict[int, list[float]] = {}
    for device_id, at in execute(SAMPLES, [bigints(devices), since, until, sample]) if devices else []:
        instants.setdefault(device_id, []).append(at)
    return {device_id: usual for device_id, times in instants.items() if (usual := steady(times))}


def of_device(device: Device, since: datetime, until: datetime, most: int = MOST) -> tuple[Period | None, list[Gap]]:
    """How often a device is expected, and its gaps in [since, until], newest first; None for one that was never heard."""
    period = periods([device], since, until).get(device.pk)
    if period is None:
        return None, []
    found = [Gap(*row) for row in execute(LIST, {**_asked({device.pk: period}, since, until), "most": most})]
    return (period, found) if found or execute(HEARD, [device.pk, since - LOOK_BACK]) else (None, [])


def of_devices(expected: dict[int, Period], since: datetime, until: datetime) -> dict[int, Missing]:
    """What each of these devices misses in [since, until]; those that miss nothing are left out."""
    if not expected:
        return {}
    return {device_id: Missing(*sums) for device_id, *sums in execute(SUMS, _asked(expected, since, until))}


def _asked(expected: dict[int, Period], since: datetime, until: datetime) -> dict[str, Any]:
    return {
        "devices": bigints(list(expected)),
        "periods": [period.seconds for period in expected.values()],
        "learnt": [period.source == "learnt" for period in expected.values()],
        "start": since,
        "end": until,
        "long_before": since - LOOK_BACK,
        "longest": EXPECTED,
    }
