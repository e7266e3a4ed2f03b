"""The store on PostgreSQL: one row per device and instant, a hypertable where TimescaleDB is there.

New rows go in by binary COPY inside a savepoint. A batch with several reports of one instant, or one that meets rows
that are there already (redelivery, mostly), goes a slower way, which merges and says exactly what changed.
"""

import itertools
import struct
from collections.abc import Sequence
from operator import itemgetter

import orjson

from devices.exceptions import Invalid
from devices.messages import Report, Values
from iotpanel.statements import execute

from . import late
from .backend.packed import EPOCH_2000, bigints, instants, jsons, moment
from .base import Verdict, Written
from .instants import Group, Instant, apply, group
from .poison import REFUSED, write_around
from .session import copy, unavailable_unless_refused
from .timescale_reads import TimescaleReads

COPY = "COPY telemetry_report (device_id, at, values) FROM STDIN (FORMAT binary)"
_INSTANT = itemgetter(0, 1)
_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_TAIL = b"\xff\xff"
_ROW = struct.Struct(">hiqiqiB")  # fields, length, device, length, at, length of what follows, version of jsonb

INSERT = """
    INSERT INTO telemetry_report (device_id, at, values)
    SELECT * FROM unnest(%s, %s, %s) AS new (device_id, at, values) ORDER BY 1, 2
    ON CONFLICT (device_id, at) DO NOTHING
    RETURNING device_id, (extract(epoch FROM at) * 1000000)::bigint
"""
# The bounds tell TimescaleDB which chunks can matter; it can't see through the arrays.
EXISTING = """
    SELECT device_id, (extract(epoch FROM at) * 1000000)::bigint, values
    FROM unnest(%s, %s) AS asked (device_id, at) JOIN telemetry_report AS row USING (device_id, at)
    WHERE row.at BETWEEN %s AND %s
    ORDER BY 1, 2 FOR UPDATE OF row
"""
UPDATE = """
    UPDATE telemetry_report AS row SET values = new.values
    FROM unnest(%s, %s, %s) AS new (device_id, at, values)
    WHERE row.device_id = new.device_id AND row.at = new.at
      AND row.at BETWEEN %s AND %s
"""

Chain = tuple[Instant, list[Values]]  # an instant, and the values that arrived for it, in order


class TimescaleStore(TimescaleReads):
    in_tables = True

    def write(self, reports: Sequence[Report]) -> list[Verdict]:
        """See Store.write."""
        if not reports:
            return []
        with unavailable_unless_refused(savepoint=False):
            late.mark(reports)
            return _write(reports)


def _write(reports: Sequence[Report]) -> list[Verdict]:
    if len(set(map(_INSTANT, reports))) == len(reports):
        try:
            with unavailable_unless_refused():
                _copy_all(reports)
        except REFUSED:  # some are there already, or some are poison: both are rare
            pass
        else:
            return [Written.STORED] * len(reports)
    return _merge(reports)


def _merge(reports: Sequence[Report]) -> list[Verdict]:
    groups = group(reports)
    chains = [(instant, [reports[place].values for place in members]) for instant, members in groups]
    return _spread(reports, groups, write_around(_insert_or_merge, chains))


def _spread(reports: Sequence[Report], groups: Sequence[Group], answers: Sequence[list[Written] | Invalid]) -> list[Verdict]:
    """The groups' answers, put in the order of the reports."""
    verdicts: list[Verdict] = [Written.STORED] * len(reports)
    for (_, members), answer in zip(groups, answers, strict=True):
        for place, verdict in zip(members, _each(answer, [reports[place] for place in members]), strict=True):
            verdicts[place] = verdict
    return verdicts


def _each(answer: list[Written] | Invalid, members: Sequence[Report]) -> Sequence[Verdict]:
    if isinstance(answer, list):
        return answer
    if len(members) == 1:
        return [answer]
    return [_write([report])[0] for report in members]  # one of several at this instant is the poison: judge each alone


def _merged(existing: Values | None, chain: list[Values]) -> tuple[Values, list[Written]]:
    """As `apply`; raises ValueError where a value that a later one covers up might be poison itself."""
    if len(chain) > 1 and b"\\u0000" in orjson.dumps(chain):
        raise ValueError("A value may be one that the database refuses.")
    return apply(existing, chain)


def _copy_all(reports: Sequence[Report]) -> None:
    """The columns go through C in one sweep each: this is where most of a batch's time in Python would go."""
    devices, moments, values, _ = zip(*reports, strict=True)
    bodies = list(map(orjson.dumps, values))
    shifted = [at - EPOCH_2000 for at in moments]
    sizes = [len(body) + 1 for body in bodies]
    constant = itertools.repeat
    heads = map(_ROW.pack, constant(3), constant(8), devices, constant(8), shifted, sizes, constant(1))
    copy(COPY, b"".join([_COPY_HEAD, *itertools.chain.from_iterable(zip(heads, bodies, strict=True)), _COPY_TAIL]))


def _insert_or_merge(chains: Sequence[Chain]) -> list[list[Written]]:
    """Insert what is new, merge the rest into what is there under its lock."""
    results = {instant: _merged(None, chain) for instant, chain in chains}
    rows = [(instant, orjson.dumps(merged)) for instant, (merged, _) in results.items()]
    inserted = {(device_id, at) for device_id, at in execute(INSERT, [*_keys([row[0] for row in rows]), jsons([row[1] for row in rows])])}
    met = [(instant, chain) for instant, chain in chains if instant not in inserted]
    existing = _existing([instant for instant, _ in met])
    merged = {instant: _merged(existing.get(instant), chain) for instant, chain in met}
    _update({instant: values for instant, (values, written) in merged.items() if Written.STORED in written})
    return [(merged.get(instant) or results[instant])[1] for instant, _ in chains]


def _keys(wanted: Sequence[Instant]) -> list[bytes]:
    return [bigints([device_id for device_id, _ in wanted]), instants([at for _, at in wanted])]


def _bounds(wanted: Sequence[Instant]) -> list[bytes]:
    moments = [at for _, at in wanted]
    return [moment(min(moments)), moment(max(moments))]


def _existing(wanted: Sequence[Instant]) -> dict[Instant, Values]:
    if not wanted:
        return {}
    return {(device_id, at): orjson.loads(values) for device_id, at, values in execute(EXISTING, [*_keys(wanted), *_bounds(wanted)])}


def _update(rows: dict[Instant, Values]) -> None:
    if not rows:
        return
    wanted = sorted(rows)
    execute(UPDATE, [*_keys(wanted), jsons([orjson.dumps(rows[instant]) for instant in wanted]), *_bounds(wanted)])
