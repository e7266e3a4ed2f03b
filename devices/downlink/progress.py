"""How updates and new secrets go, as devices say it: judged and written for a whole batch at once, in the batch's transaction."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import orjson
import structlog
from django.db import connection, transaction

from devices import credentials
from devices.exceptions import Invalid
from devices.messages import Progress
from devices.models import Device
from devices.timestamps import to_datetime
from iotpanel.tenants.encryption import decrypt

from . import wake
from .errand_words import SECRET, Open, judge

MAX_ERROR = 1_000  # characters
MAX_VERSION = 64
MAX_PIECE, PIECE = 65_536, 4_096  # bytes of an image in one message
MAX_NUMBER = 2**53
OTA_STATES = frozenset({"idle", "downloading", "verifying", "installing", "succeeded", "failed"})
SECRET_STATES = frozenset({"stored", "ok", "error"})
Verdict = Invalid | None
log = structlog.get_logger(__name__)
_KNOWN = """
    SELECT errand.id, errand.device_id, errand.kind, errand.state, errand.progress, errand.wanted, errand.sealed,
           firmware.version, firmware.id, firmware.size, device.key
    FROM devices_errand errand JOIN devices_device device ON device.id = errand.device_id
    LEFT JOIN devices_firmware firmware ON firmware.id = errand.firmware_id
    WHERE errand.device_id = ANY(%s) AND errand.finished_at IS NULL ORDER BY errand.id FOR UPDATE OF errand
"""
_WRITE = """
    UPDATE devices_errand errand SET
        state = said.state, progress = said.progress, wanted = said.wanted, reason = said.reason, error = said.error, sealed = said.sealed,
        due_at = said.at + make_interval(secs => errand.timeout), finished_at = CASE WHEN said.final THEN said.at END,
        sent_at = coalesce(errand.sent_at, said.at)
    FROM jsonb_to_recordset(%s::jsonb) AS said (
        id bigint, state text, progress smallint, wanted boolean, reason text, error text, sealed text, at timestamptz, final boolean
    ) WHERE errand.id = said.id
"""
_RUNS = """
    INSERT INTO devices_runningfirmware AS known (device_id, version, before, since, at)
    SELECT device_id, version, '', at, at FROM jsonb_to_recordset(%s::jsonb) AS said (device_id bigint, version text, at timestamptz)
    WHERE EXISTS (SELECT FROM devices_device WHERE id = device_id)
    ORDER BY device_id
    ON CONFLICT (device_id) DO UPDATE SET
        before = CASE WHEN known.version = excluded.version THEN known.before ELSE known.version END,
        since = CASE WHEN known.version = excluded.version THEN known.since ELSE excluded.since END,
        version = excluded.version, at = excluded.at
    WHERE known.at <= excluded.at
"""
_WISHES = """
    INSERT INTO devices_chunkrequest AS known (device_id, firmware_id, "offset", length, asked_at)
    SELECT device_id, firmware_id, "offset", length, at
    FROM jsonb_to_recordset(%s::jsonb) AS said (device_id bigint, firmware_id bigint, "offset" bigint, length integer, at timestamptz)
    ORDER BY device_id
    ON CONFLICT (device_id) DO UPDATE
    SET firmware_id = excluded.firmware_id, "offset" = excluded."offset", length = excluded.length, asked_at = excluded.asked_at
"""


def read(device_id: int, kind: str, body: Any, received_at: int) -> Progress:
    """The word in a message. Raises Invalid: bad_shape, bad_value."""
    if not isinstance(body, dict):
        raise Invalid("bad_shape", "a word on an update is an object")
    return {"ota": _ota, "chunk": _chunk, "credentials": _secret}[kind](device_id, body, received_at)


def _ota(device_id: int, body: dict[str, Any], received_at: int) -> Progress:
    """`{}` asks for the offer; `version` alone says what runs."""
    if not body:
        return Progress(device_id, "ota", "ask", "", 0, 0, "", received_at)
    if set(body) - {"version", "state", "progress", "error"}:
        raise Invalid("bad_shape", "a word on an update has “version”, “state”, “progress” and “error”")
    state = body.get("state", "idle")
    if not isinstance(state, str) or state not in OTA_STATES:
        raise Invalid("bad_value", f"“state” is one of: {', '.join(sorted(OTA_STATES))}")
    number = body.get("progress", 0)
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 100:
        raise Invalid("bad_value", "“progress” is a number from 0 to 100")
    return Progress(device_id, "ota", state, _version(body.get("version")), int(number), 0, _error(body.get("error")), received_at)


def _chunk(device_id: int, body: dict[str, Any], received_at: int) -> Progress:
    if not {"version", "offset"} <= set(body) <= {"version", "offset", "length"}:
        raise Invalid("bad_shape", "a wish for a piece has “version”, “offset” and at most “length”")
    offset, length = _whole(body["offset"], "offset", 0, MAX_NUMBER), _whole(body.get("length", PIECE), "length", 1, MAX_PIECE)
    return Progress(device_id, "chunk", "downloading", _version(body["version"]), offset, length, "", received_at)


def _secret(device_id: int, body: dict[str, Any], received_at: int) -> Progress:
    if not {"id", "status"} <= set(body) <= {"id", "status", "error"} or body["status"] not in SECRET_STATES:
        raise Invalid("bad_shape", "a word on a secret has “id”, “status” (stored, ok or error) and at most “error”")
    number = _whole(body["id"], "id", 0, MAX_NUMBER)
    return Progress(device_id, "credentials", body["status"], "", number, 0, _error(body.get("error")), received_at)


def _whole(value: Any, name: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Invalid("bad_value", f"“{name}” is a whole number from {low} to {high}")
    return value


def _version(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > MAX_VERSION or not value.isprintable():
        raise Invalid("bad_value", f"“version” is a text of 1 to {MAX_VERSION} characters")
    return value


def _error(value: Any) -> str:
    words = "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
    if "\0" in words:
        raise Invalid("bad_value", "“error” contains a NUL character")
    return words[:MAX_ERROR]


def apply(words: Sequence[Progress]) -> list[Verdict]:
    """Write what these say, in order, in the caller's transaction: None where a word was taken, or came too late to matter."""
    if not words:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [sorted({word.device_id for word in words})])
        errands = {(row[1], row[2]): Open(*row) for row in cursor.fetchall()}
    running: dict[int, dict[str, Any]] = {}
    wishes: dict[int, dict[str, Any]] = {}
    verdicts = [_apply(word, errands, running, wishes) for word in words]
    _switch(each for each in errands.values() if each.switches)
    changed = [each for each in errands.values() if each.changed_at]
    with connection.cursor() as cursor:
        for query, rows in ((_WRITE, [_row(each) for each in changed]), (_RUNS, list(running.values())), (_WISHES, list(wishes.values()))):
            if rows:
                cursor.execute(query, [orjson.dumps(rows).decode()])
    wake.look_at({each.device_id for each in changed if each.wanted} | set(wishes))
    if failed := [each for each in changed if each.state == "failed"]:
        transaction.on_commit(partial(_log, failed), robust=True)
    return verdicts


def _log(failed: Iterable[Open]) -> None:
    """The reason that REST and page give, in the log too."""
    for each in failed:
        about = {"reason": each.reason, "error": each.error[:200], "version": each.version}
        log.info("errand_failed", device=each.key, kind=each.kind, id=each.id, **about)


def _apply(word: Progress, errands: dict[tuple[int, str], Open], running: dict[int, Any], wishes: dict[int, Any]) -> Verdict:
    at = to_datetime(word.received_at).isoformat()
    if word.kind == "ota" and word.state in ("idle", "succeeded"):
        running[word.device_id] = {"device_id": word.device_id, "version": word.version, "at": at}
    found = errands.get((word.device_id, "credentials" if word.kind == "credentials" else "ota"))
    if found is None or found.final:
        return Invalid("unexpected_reply", "no update offers this device a piece") if word.kind == "chunk" else None
    try:
        judge(found, word)
    except Invalid as error:
        return error
    if word.kind == "chunk":
        wish = {"device_id": word.device_id, "firmware_id": found.firmware_id, "offset": word.number, "length": word.length, "at": at}
        wishes[word.device_id] = wish
    return None


def _switch(errands: Iterable[Open]) -> None:
    """The device has its new secret: from now on it is the one in force."""
    for each in errands:
        credentials.install_secret(Device.objects.get(pk=each.device_id), decrypt(each.sealed.encode(), purpose=SECRET))
        each.sealed = ""


def _row(each: Open) -> dict[str, Any]:
    at = to_datetime(each.changed_at).isoformat()
    fields = ("id", "state", "progress", "wanted", "reason", "error", "sealed")
    return {name: getattr(each, name) for name in fields} | {"at": at, "final": each.final}
