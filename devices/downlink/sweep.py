"""What ends because time has passed: once a second, under the locks that everybody else takes."""

from datetime import datetime

from iotpanel.statements import by_keys

from . import moves

ATTEMPTS = 3  # of an idempotent command
FIRST, LAST = 1.0, 60.0  # seconds before another attempt
_MAY_GO_AGAIN = f"idempotent AND attempts < {ATTEMPTS} AND expires_at > %(now)s"
_AGAIN = f"""
    , in_flight = false, waits = 'retry',
    due_at = least(%(now)s + make_interval(secs => least({FIRST} * 2 ^ (attempts - 1), {LAST})), expires_at)
"""
_REPLACED = """
    id = ANY(%(ids)s) AND state = 'queued' AND NOT in_flight AND replace_key <> '' AND EXISTS (
        SELECT FROM devices_command newer WHERE newer.device_id = devices_command.device_id
        AND newer.replace_key = devices_command.replace_key AND newer.id > devices_command.id
    )
"""
_OVERDUE = "due_at <= %(now)s AND in_flight"
_ANY = """
    SELECT EXISTS (SELECT FROM devices_command WHERE finished_at IS NULL AND due_at <= %(now)s AND (in_flight OR expires_at <= %(now)s))
"""


def sweep(now: datetime) -> None:
    """End what has expired or timed out, and queue again what may go again. Needs a transaction."""
    [(any_at_all,)] = by_keys(_ANY, {"now": now})
    if not any_at_all:  # nearly always, and then commands that come have not to wait for four statements
        return
    moves.finish(
        "due_at <= %(now)s AND NOT in_flight AND expires_at <= %(now)s",
        "expired",
        now,
        reason="not_sent",
        error="The command could not be sent before it expired.",
    )
    retried = moves.move(f"{_OVERDUE} AND {_MAY_GO_AGAIN}", "queued", now, changes=_AGAIN, note="retry")
    replaced([change.command_id for change in retried], now)
    moves.finish(
        f"{_OVERDUE} AND state = 'queued'",
        "timed_out",
        now,
        reason="not_acknowledged",
        error="The broker did not acknowledge the command, so nobody knows whether it was sent. It is not sent twice.",
    )
    moves.finish(f"{_OVERDUE} AND state <> 'queued'", "timed_out", now, reason="no_reply", error="The device did not reply in time.")


def again(ids: list[int], now: datetime) -> None:
    """The connection broke before these were acknowledged: what may be sent twice goes again, the rest waits for its timeout."""
    retried = moves.move(f"id = ANY(%(ids)s) AND in_flight AND {_MAY_GO_AGAIN}", "queued", now, changes=_AGAIN, note="retry", ids=ids)
    replaced([change.command_id for change in retried], now)


def replaced(ids: list[int], now: datetime) -> None:
    """Of these, which were on their way and wait again now, end those that a newer one has replaced meanwhile."""
    if ids:
        moves.finish(_REPLACED, "cancelled", now, reason="replaced", error="", ids=ids)
