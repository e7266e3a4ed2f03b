"""What devices answer, judged and written for a whole batch of uplinks at once, in the batch's transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from devices.exceptions import Invalid
from devices.messages import CommandChange, Reply
from devices.timestamps import to_datetime
from iotpanel.statements import by_keys

from . import moves
from .moves import change_of, entry, loaded, tell

MAX_ERROR = 1_000  # characters
MAX_ID = 2**63 - 1
STATES = {"ok": "succeeded", "error": "failed", "received": "delivered"}
Verdict = Invalid | None
_KNOWN = """
    SELECT id, device_id, state, finished_at IS NOT NULL, attempts, result, error,
           CASE WHEN in_flight AND state = 'queued' THEN due_at - make_interval(secs => timeout) END
    FROM devices_command
    WHERE id = ANY(%s) ORDER BY id FOR UPDATE
"""
# A reply is nearly always here before the broker's acknowledgement was written down: then it was sent when it was claimed.
# Both the ids and what LATERAL says keep it from reading what is queued for everybody else; EXISTS was asked once for all, by a scan.
_WRITE = f"""
    WITH said AS (
        SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb)
        AS row (id bigint, state text, at timestamptz, sent_at timestamptz, final boolean, reason text, error text, result jsonb,
                entries jsonb)
    ), moved AS (
        UPDATE devices_command command SET
            state = said.state, reason = said.reason, error = said.error, result = said.result,
            history = history || said.entries, sent_at = coalesce(command.sent_at, said.sent_at),
            finished_at = CASE WHEN said.final THEN said.at END, in_flight = NOT said.final,
            waits = ''
        FROM said WHERE command.id = said.id AND command.id = ANY(%(ids)s) RETURNING command.id, {moves.qualified("command")}
    )
    SELECT moved.*, device.tenant_id, device.key, next.id IS NOT NULL
    FROM moved JOIN devices_device device ON device.id = moved.device_id
    LEFT JOIN LATERAL (
        SELECT id FROM devices_command
        WHERE device_id = moved.device_id AND finished_at IS NULL AND NOT in_flight ORDER BY priority DESC, id LIMIT 1
    ) next ON true
    ORDER BY moved.id
"""  # noqa: S608


class _Known(NamedTuple):
    """What is known of a command, as this batch's replies change it; `claimed_at` where nobody has noted yet that it was sent."""

    id: int
    device_id: int
    state: str
    final: bool
    attempts: int
    result: Any
    error: str
    claimed_at: datetime | None


def command_id(text: str) -> int:
    """The id in a reply's topic. Raises Invalid("unexpected_reply") where it is none of ours."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= MAX_ID):
        raise Invalid("unexpected_reply", f"“{text[:64]}” is no command's id")
    return int(text)


def read(device_id: int, text: str, body: Any, received_at: int) -> Reply:
    """The reply in a message. Raises Invalid: unexpected_reply, bad_shape."""
    pk = command_id(text)
    if not isinstance(body, dict) or set(body) - {"status", "result", "error"} or body.get("status") not in STATES:
        raise Invalid("bad_shape", "a reply is an object with “status” (ok, error or received), “result” and “error”")
    error = body.get("error")
    words = "" if error is None else error if isinstance(error, str) else orjson.dumps(error).decode()
    if "\0" in words:
        raise Invalid("bad_value", "“error” contains a NUL character")
    return Reply(device_id, pk, body["status"], body.get("result"), words[:MAX_ERROR], received_at)


def apply(replies: Sequence[Reply]) -> list[Verdict]:
    """Write what these say, in order, in the caller's transaction: None where a reply was taken, or was known already.

    Invalid where nobody asked (`unexpected_reply`) or somebody else was asked (`wrong_device`).
    """
    if not replies:
        return []
    found = by_keys(_KNOWN, [sorted({reply.command_id for reply in replies})])
    known = {row[0]: _Known(*row)._replace(result=loaded(row[5])) for row in found}
    rows: dict[int, dict[str, Any]] = {}
    verdicts = [_judge(reply, known, rows) for reply in replies]
    if rows:
        tell(*_write(rows, max(reply.received_at for reply in replies)))
    return verdicts


def _judge(reply: Reply, known: dict[int, _Known], rows: dict[int, dict[str, Any]]) -> Verdict:
    found = known.get(reply.command_id)
    if found is None or (found.device_id == reply.device_id and not found.attempts):
        return Invalid("unexpected_reply", "no command with this id was sent")
    if found.device_id != reply.device_id:
        return Invalid("wrong_device", "the command with this id was sent to another device")
    state = STATES[reply.status]
    if found.final:
        again = reply.status == "received" or (found.state, found.result, found.error) == (state, reply.result, reply.error)
        return None if again else Invalid("unexpected_reply", f"the command had ended before: {found.state}")
    if found.state != state:
        known[found.id] = found._replace(state=state, final=state != "delivered", result=reply.result, error=reply.error)
        rows[found.id] = _row(reply, found, rows.get(found.id))
    return None


def _row(reply: Reply, found: _Known, before: dict[str, Any] | None) -> dict[str, Any]:
    state, at = STATES[reply.status], to_datetime(reply.received_at)
    sent = min(found.claimed_at or at, at)
    reason = "device_error" if state == "failed" else ""
    entries = [*(before["entries"] if before else []), entry(state, at, reason=reason)]
    if found.state == "queued":
        entries.insert(0, entry("sent", sent))
    return {
        "id": found.id,
        "state": state,
        "at": at.isoformat(),
        "sent_at": before["sent_at"] if before else sent.isoformat(),
        "final": state != "delivered",
        "reason": reason,
        "error": reply.error,
        "result": reply.result,
        "entries": entries,
    }


def _write(rows: dict[int, dict[str, Any]], at: int) -> tuple[list[CommandChange], set[int]]:
    """What changed, and the devices that something else is queued for."""
    found = by_keys(_WRITE, {"rows": orjson.dumps(list(rows.values())).decode(), "ids": list(rows)})
    last = [change_of(row, to_datetime(at)) for *row, _ in found]
    changed = [change for each in last for change in (*_passed(each, rows[each.command_id]["entries"]), each)]
    return changed, {each.device_id for each, (*_, more) in zip(last, found, strict=True) if more}


def _passed(last: CommandChange, entries: list[dict[str, Any]]) -> list[CommandChange]:
    """The states on the way to the last one, which nobody was told of yet."""
    bare: dict[str, Any] = {"final": False, "reason": "", "error": "", "result": None}
    return [last._replace(state=each["state"], at=each["ts"] * 1000, **bare) for each in entries[:-1]]
