"""The short way to write a batch: its reports, the newest values and the ledger in one statement.

Statements of their own for all of this, with a savepoint around the first, are seven turns between two processes, and where
others want the processor too, each turn is a wait. `telemetry_take` is the same in one (telemetry/migrations/0012_take.py): a
batch of 10 reports takes 0.56 of the time, one of 100 takes 0.71, one of 1,000 takes 0.93. It takes what is as nearly all
batches are, and leaves everything else, untouched, to the long way.
"""

import struct
from collections.abc import Mapping, Sequence
from operator import itemgetter

import orjson

from devices.messages import Report
from iotpanel.statements import prepared

from . import latest, ledger
from .stores.backend.packed import bigints, documents, instants
from .stores.session import unavailable_unless_refused

MOST = 1_000  # reports; from 2,000 on a COPY is the quicker one
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
