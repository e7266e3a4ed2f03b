"""The short way to write a batch: its reports, the newest values and the ledger in one statement.

A statement of its own for each of them, with a savepoint around the first, is eight turns between two processes, and where
others want the processor too, each of them waits for its turn: at 11,000 messages/s that was a third of a batch's time.
`telemetry_take` is the same in one (telemetry/migrations/0012_take.py). It takes what is as nearly all batches are, and
leaves everything else, untouched, to the long way.
"""

import struct
from collections.abc import Mapping, Sequence
from operator import itemgetter

import orjson

from devices.messages import Report
from iotpanel.databases import prepared

from . import latest, ledger
from .stores.backend.packed import bigints, documents, instants
from .stores.session import unavailable_unless_refused

MOST = 2_000  # reports; of more, it is the rows that take the time, and a COPY is quicker with them
TAKE = f"SELECT telemetry_take({', '.join(['%s'] * 7)}, {', '.join(['%s::bigint[]'] * 7)})"
_INSTANT = itemgetter(0, 1)


def write(reports: Sequence[Report], counts: Mapping[int, Sequence[int]]) -> bool:
    """Write all of this, in the caller's transaction, or nothing: False where there is anything that the long way has to look at.

    `counts` as in `ledger.append`, with all reports as stored. Raises Unavailable.
    """
    if not 0 < len(reports) <= MOST or len(set(map(_INSTANT, reports))) < len(reports):
        return False
    devices, moments, values, _ = zip(*reports, strict=True)
    try:
        newest = latest.columns(reports)
        parameters = [
            bigints(devices),
            instants(moments),
            documents(list(map(orjson.dumps, values))),
            bigints(newest.devices),
            instants(newest.newest_at),
            instants(newest.merged_from),
            documents(newest.values),
            *ledger.columns(counts),
        ]
    except (TypeError, ValueError, OverflowError, struct.error):  # poison
        return False
    with unavailable_unless_refused(savepoint=False):
        [(taken,)] = prepared(TAKE, parameters)
    return bool(taken)
