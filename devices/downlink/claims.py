"""Which commands may go now: claimed in a transaction that is committed before any of them is published.

So whoever is killed in between has either not claimed, and somebody else sends it, or has claimed, and nobody sends
it again unless the command is idempotent.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from iotpanel.statements import BY_KEYS, execute, prepared, together

from . import moves
from .moves import loaded

LIMIT = 1_000  # of one turn
# Of each device the first ones that its window has room for. They go if they are due, or wait for the device and the
# device was heard of just now. A child that was never heard may be one that only listens.
# The order is what keeps it cheap: the devices, the first ones of each, their rows, hence MATERIALIZED and LATERAL. By what PostgreSQL
# knows of a table that has just begun to fill it began with all that is queued, and looked at every device for each: minutes.
_READY = """
    WITH device AS MATERIALIZED (
        SELECT device.id, device.key, device.tenant_id, device.parent_id, product.command_window,
               product.codec_kind, product.codec_script, product.topics,
               coalesce(presence.online, false) OR (presence.last_seen IS NULL AND device.parent_id IS NOT NULL) AS there
        FROM devices_device device
        JOIN devices_product product ON product.id = device.product_id
        LEFT JOIN devices_devicepresence presence ON presence.device_id = device.id
        WHERE device.id = ANY(%(devices)s) AND device.enabled
    ), head AS MATERIALIZED (
        SELECT device.*, queued.id AS command_id FROM device
        CROSS JOIN LATERAL (SELECT count(*) AS number FROM devices_command WHERE device_id = device.id AND in_flight) flying
        CROSS JOIN LATERAL (
            SELECT id FROM devices_command
            WHERE device_id = device.id AND finished_at IS NULL AND NOT in_flight AND expires_at > %(now)s
            ORDER BY priority DESC, id LIMIT greatest(device.command_window - flying.number, 0)
        ) queued
    )
    SELECT command.id, command.device_id, head.key, head.tenant_id, head.parent_id, command.name, command.params,
           command.expires_at, command.timeout, command.idempotent, command.one_way, command.attempts,
           head.codec_kind, head.codec_script, head.topics, head.there
    FROM head CROSS JOIN LATERAL (
        SELECT * FROM devices_command WHERE id = head.command_id AND state = 'queued' AND NOT in_flight
          AND (due_at <= %(now)s OR (waits = 'device' AND head.id = ANY(%(heard)s)))
        FOR UPDATE SKIP LOCKED
    ) command
    ORDER BY command.priority DESC, command.id LIMIT %(limit)s
"""
_TURN = "SELECT pg_advisory_xact_lock(%s)"  # workers take turns, so that two never fill the same device's window
_CLAIM = """
    UPDATE devices_command SET in_flight = true, attempts = attempts + 1, waits = '', due_at = %(now)s + make_interval(secs => timeout)
    WHERE id = ANY(%(ids)s)
"""
# All that is queued for a device that is not there: the sweep need not look at it before it expires.
_PARK = """
    WITH mine AS (
        SELECT id FROM devices_command
        WHERE device_id = ANY(%(devices)s) AND finished_at IS NULL AND NOT in_flight AND waits <> 'device'
        ORDER BY id FOR UPDATE SKIP LOCKED
    )
    UPDATE devices_command command SET waits = 'device', due_at = expires_at FROM mine WHERE command.id = mine.id
"""
_PUT_OFF = """
    WITH mine AS (
        SELECT id FROM devices_command WHERE id = ANY(%(ids)s) AND finished_at IS NULL AND state = 'queued'
        ORDER BY id FOR UPDATE SKIP LOCKED
    )
    UPDATE devices_command command
    SET in_flight = false, waits = %(waits)s, attempts = greatest(attempts - %(untried)s, 0), due_at = least(%(due)s, expires_at)
    FROM mine WHERE command.id = mine.id
"""
_ONE_DISPATCHER = 0x10_70_D0


class Ready(NamedTuple):
    """A command that may be sent now; `attempts` are those before this one, `there` says whether its device is reachable."""

    id: int
    device_id: int
    key: str
    tenant_id: int
    parent_id: int | None
    name: str
    params: dict[str, Any]
    expires_at: datetime
    timeout: float
    idempotent: bool
    one_way: bool
    attempts: int
    codec: str
    script: str
    topics: list[Any]
    there: bool


def ready(devices: Collection[int], heard: Collection[int], now: datetime) -> list[Ready]:
    """What may go to these devices now, the most urgent first; locked until the end of the caller's transaction.

    What is prepared in the rest of it goes by keys, as this does.
    """
    which = {"devices": list(devices), "heard": list(heard), "now": now, "limit": LIMIT}
    *_, found = together(BY_KEYS, (_TURN, [_ONE_DISPATCHER]), (_READY, which))
    rows = [Ready(*row) for row in found]
    return [row._replace(params=loaded(row.params), topics=loaded(row.topics)) for row in rows]


def claim(ids: Sequence[int], now: datetime) -> None:
    """These, which were `ready` in this transaction, are about to be published."""
    prepared(_CLAIM, {"ids": list(ids), "now": now})


def park(devices: Iterable[int]) -> None:
    """These devices are not there: what is queued waits until they come, or expires."""
    execute(_PARK, {"devices": sorted(devices)})


def put_off(ids: Sequence[int], due: datetime, waits: str, *, untried: bool) -> None:
    """Queue these again, not to be sent before `due`. `untried` where their last attempt reached nobody for sure."""
    execute(_PUT_OFF, {"ids": list(ids), "due": due, "waits": waits, "untried": int(untried)})


def mark_sent(ids: Sequence[int], now: datetime) -> None:
    """The broker has taken these. One without reply ends here: nobody will ever know more of it."""
    changes = """, sent_at = %(now)s, due_at = %(now)s + make_interval(secs => timeout),
        finished_at = CASE WHEN one_way THEN %(now)s END, in_flight = NOT one_way"""
    moves.move("id = ANY(%(ids)s) AND in_flight AND state = 'queued'", "sent", now, changes=changes, often=True, ids=list(ids))


def due_devices(now: datetime) -> set[int]:
    """Devices with commands that may go now, as far as their queues say."""
    query = "SELECT DISTINCT device_id FROM devices_command WHERE finished_at IS NULL AND NOT in_flight AND due_at <= %s LIMIT 10000"
    return {device_id for (device_id,) in execute(query, [now])}


def waited_for() -> set[int]:
    """Devices that are there, for which commands wait as if they were not: word of their coming was lost."""
    query = """
        SELECT DISTINCT command.device_id FROM devices_command command JOIN devices_devicepresence presence USING (device_id)
        WHERE command.finished_at IS NULL AND command.waits = 'device' AND presence.online
    """
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {device_id for (device_id,) in cursor.fetchall()}


def gateways_of(parents: Collection[int]) -> dict[int, tuple[str, int | None]]:
    """Key and own gateway of these devices and of all above them, by id."""
    if not parents:
        return {}
    query = """
        WITH RECURSIVE above(id, key, parent_id) AS (
            SELECT id, key, parent_id FROM devices_device WHERE id = ANY(%s)
            UNION SELECT device.id, device.key, device.parent_id FROM devices_device device JOIN above ON device.id = above.parent_id
        ) SELECT id, key, parent_id FROM above
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [list(parents)])
        return {pk: (key, parent_id) for pk, key, parent_id in cursor.fetchall()}


def later(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)
