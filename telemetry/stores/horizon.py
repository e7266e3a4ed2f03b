"""How far the rollups of one property of one device can be trusted at this moment."""

from iotpanel.statements import execute

from .backend.packed import moment
from .plan import Horizon

FRONTIER = "SELECT (extract(epoch FROM rolled_up_to) * 1000000)::bigint FROM telemetry_rollupfrontier WHERE id = 1"
DIRTY = """
    SELECT DISTINCT (extract(epoch FROM hour) * 1000000)::bigint FROM telemetry_dirtybucket
    WHERE device_id = %s AND hour > %s - interval '1 hour' AND hour < %s
"""
# A mark of the property's own stands instead of the one for all of them.
BEGINS = """
    SELECT DISTINCT ON (level) level, (extract(epoch FROM before) * 1000000)::bigint
    FROM telemetry_forgotten AS mark JOIN devices_device AS device ON device.id = %s AND mark.product_id = device.product_id
    WHERE mark.property IN ('', %s) ORDER BY level, mark.property DESC
"""
# Days may be cut by zones and by the hour: what is dirty is asked for a day further.
DAY = 86_400_000_000


def horizon(device_id: int, property: str, start: int, end: int) -> Horizon:
    """The horizon for a question about [start, end), in µs since 1970."""
    frontier = execute(FRONTIER)
    if not frontier:
        return Horizon(0, {}, ())
    dirty = execute(DIRTY, [device_id, moment(start - DAY), moment(end + DAY)])
    return Horizon(frontier[0][0], dict(execute(BEGINS, [device_id, property])), [hour for (hour,) in dirty])
