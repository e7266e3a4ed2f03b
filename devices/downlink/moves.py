"""Every change of a command's state: stamped in its history, told to the sinks, to the dispatcher and to whoever waits.

Statements that change states are built here, because each of them has to return what has to be told.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import orjson
import structlog
from django.db import transaction

from devices.messages import CommandChange
from devices.presence import tell_sinks
from devices.timestamps import to_microseconds
from iotpanel.statements import by_keys, execute

from . import wake

TOLD = (
    "device_id, name, params, state, finished_at IS NOT NULL AS final, reason, error, result, priority, attempts, hops, "
    "created_at, expires_at"
)
# `mine` is which rows, locked in the order of ids; SKIP LOCKED where nobody may be waited for. They are looked up by an array, as a
# join could be planned to read all there is.
_MOVE = """
    WITH mine AS (
        SELECT id FROM devices_command WHERE finished_at IS NULL AND {which} ORDER BY id FOR UPDATE {lock}
    ), moved AS (
        UPDATE devices_command command
        SET state = %(state)s, history = history || %(entry)s::jsonb{changes}
        WHERE command.id = ANY(ARRAY(SELECT id FROM mine)) RETURNING command.id, {told}
    )
    SELECT moved.*, device.tenant_id, device.key FROM moved JOIN devices_device device ON device.id = moved.device_id ORDER BY moved.id
"""
UNDONE = frozenset({"failed", "timed_out", "expired", "cancelled"})
log = structlog.get_logger(__name__)
FINISH = ", finished_at = %(now)s, in_flight = false, waits = '', reason = %(reason)s, error = %(error)s"


def entry(state: str, now: datetime, **more: Any) -> dict[str, Any]:
    """One line of a command's history; `ts` is in ms, and what is empty is left out."""
    return {"state": state, "ts": to_microseconds(now) // 1000, **{name: value for name, value in more.items() if value}}


def move(
    which: str, state: str, now: datetime, *, changes: str = "", wait: bool = False, note: str = "", often: bool = False, **given: Any
) -> list[CommandChange]:
    """Bring the commands that `which` (SQL) chooses into a state, as far as they have not ended; tells everybody.

    `changes` is more SQL for the update, `given` its parameters. Waits for other writers only where `wait` is true. Planned once where
    it is `often` done to known ids, else each time: a plan of before anything was queued would be kept, and read all that is queued then.
    """
    query = _MOVE.format(which=which, changes=changes, lock="" if wait else "SKIP LOCKED", told=qualified("command"))
    line = orjson.dumps([entry(state, now, reason=given.get("reason", "") or note)]).decode()
    changed = [change_of(row, now) for row in (by_keys if often else execute)(query, {**given, "state": state, "now": now, "entry": line})]
    tell(changed)
    return changed


def finish(which: str, state: str, now: datetime, *, reason: str, error: str, wait: bool = False, **given: Any) -> list[CommandChange]:
    """End the commands that `which` (SQL) chooses."""
    return move(which, state, now, changes=FINISH, wait=wait, reason=reason, error=error, **given)


def qualified(table: str) -> str:
    """The columns that a change is made of, of a table in a query."""
    return ", ".join(f"{table}.{column.strip()}" for column in TOLD.split(","))


def change_of(row: Sequence[Any], now: datetime) -> CommandChange:
    """From a row of id, the columns of TOLD, tenant and key."""
    pk, device_id, name, params, state, final, reason, error, result, priority, attempts, hops, created_at, expires_at, tenant_id, key = row
    return CommandChange(
        command_id=pk,
        device_id=device_id,
        tenant_id=tenant_id,
        key=key,
        name=name,
        params=loaded(params),
        state=state,
        at=to_microseconds(now),
        final=final,
        reason=reason,
        error=error,
        result=loaded(result),
        priority=priority,
        attempts=attempts,
        hops=hops,
        created_at=to_microseconds(created_at),
        expires_at=to_microseconds(expires_at),
    )


def loaded(value: Any) -> Any:
    """JSON as Django's cursors give it, which is text."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def tell(changed: Sequence[CommandChange], waiting: Collection[int] | None = None) -> None:
    """Tell everybody, in the writer's transaction: heard on its commit, or never.

    Where a command has ended it is the next one's turn, if its device is among those that commands wait for (None: nobody knows).
    """
    if not changed:
        return
    ended = [change for change in changed if change.final]
    free = {change.device_id for change in ended}
    wake.queued(free if waiting is None else free.intersection(waiting), [change.command_id for change in ended])
    tell_sinks(changed)
    if undone := [change for change in ended if change.state in UNDONE]:
        transaction.on_commit(partial(_log, undone), robust=True)


def _log(undone: Sequence[CommandChange]) -> None:
    """The reason that REST and page give, in the log too; never parameters or results, which are the device's own affair."""
    for each in undone:
        about = {"reason": each.reason, "error": each.error[:200]}
        log.info("command_not_done", device=each.key, command=each.name, id=str(each.command_id), state=each.state, **about)
