"""Late reports: those for minutes that are rolled up already mark their hour, so that it is rolled up again.

`telemetry_frontier()` takes the batches' side of an advisory lock, held until the transaction ends, and then reads up
to where minutes are sealed. Whoever moves the seal, or takes the marks, takes the other side for a moment: so no batch
can slip old data in unmarked, and nothing is written to say so.
"""

from collections.abc import Sequence
from operator import itemgetter

from devices.messages import Report
from iotpanel.statements import execute

from .backend.packed import bigints, instants
from .levels import HOUR

MARK = """
    INSERT INTO telemetry_dirtybucket (device_id, hour, claimed)
    SELECT device_id, hour, false FROM unnest(%s, %s) AS late (device_id, hour)
    ON CONFLICT DO NOTHING
"""

_AT = itemgetter(1)


def mark(reports: Sequence[Report]) -> None:
    """Mark the hours of those reports that are older than the sealed minutes."""
    [(sealed_to,)] = execute("SELECT telemetry_frontier()")
    if min(map(_AT, reports)) >= sealed_to:
        return
    late = sorted({(report[0], report[1] // HOUR * HOUR) for report in reports if report[1] < sealed_to})
    execute(MARK, [bigints([device_id for device_id, _ in late]), instants([hour for _, hour in late])])
