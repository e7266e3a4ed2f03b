"""Commands: checked against the thing model, queued, cancelled. What becomes of them afterwards is in `dispatch`.

A command row is written in the caller's transaction and published after its commit, so it is sent or never was.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from structlog.contextvars import bound_contextvars

from devices.exceptions import Invalid
from devices.models import Command, Device
from devices.thing_model import CommandType, ThingModel
from devices.thing_model_parser import ThingModelError, parse
from iotpanel.api.errors import Conflict
from iotpanel.statements import prepared
from iotpanel.tenants.models import User

from . import moves, wake
from .moves import change_of, entry, tell
from .refusals import refuse

EXPIRES_IN = 86_400.0  # seconds
TIMEOUT = 30.0  # seconds
MAX_EXPIRES_IN, MAX_TIMEOUT = 366 * 86_400.0, 86_400.0
MAX_PRIORITY = 100
MAX_QUEUED = 1_000  # commands of one device that may wait
MAX_PARAMS = 64 * 1024  # bytes
MAX_HOPS = 8
_COLUMNS = (
    "device_id bigint, person_id bigint, name text, params jsonb, priority smallint, replace_key text, idempotent boolean, "
    "one_way boolean, timeout float8, hops smallint, created_at timestamptz, expires_at timestamptz"
)
_NAMES = ", ".join(column.split()[0] for column in _COLUMNS.split(", "))
_INSERT = f"""
    WITH made AS (
        INSERT INTO devices_command ({_NAMES}, due_at, state, history, reason, error, attempts, in_flight, waits)
        SELECT {_NAMES}, created_at, 'queued', %(history)s::jsonb, '', '', 0, false, ''
        FROM ROWS FROM (jsonb_to_recordset(%(rows)s::jsonb) AS ({_COLUMNS})) WITH ORDINALITY ORDER BY ordinality
        RETURNING id, {moves.TOLD}
    )
    SELECT made.*, device.tenant_id, device.key FROM made JOIN devices_device device ON device.id = made.device_id ORDER BY made.id
"""  # noqa: S608


class Order(NamedTuple):
    """What a device shall do. `expires_in` and `timeout` are in seconds; None is a day, and what the thing model says or 30 s."""

    device: Device
    name: str
    params: dict[str, Any] | None = None
    expires_in: float | None = None
    timeout: float | None = None
    priority: int = 0
    replace_key: str = ""
    hops: int = 0
    person: User | None = None


def send(
    device: Device,
    *,
    name: str,
    params: dict[str, Any] | None = None,
    expires_in: float | None = None,
    timeout: float | None = None,
    priority: int = 0,
    replace_key: str = "",
    hops: int = 0,
    person: User | None = None,
) -> Command:
    """Queue a command for a device, as `Order` says. One that is queued with the same `replace_key` is cancelled.

    Raises ApiError: unknown_command, unknown_parameter, bad_shape, bad_value, out_of_range, too_large, device_disabled, queue_full,
    too_many_hops.
    """
    order, now = Order(device, name, params, expires_in, timeout, priority, replace_key, hops, person), timezone.now()
    [(pk, row)] = _queue([order], now)
    return _made(pk, row, order, now)


def send_all(orders: Sequence[Order]) -> list[int]:
    """Queue many commands at once, all or none; their ids in this order. Raises ApiError as `send` for the first that cannot be."""
    return [pk for pk, _ in _queue(orders, timezone.now())]


@transaction.atomic
def _queue(orders: Sequence[Order], now: datetime) -> list[tuple[int, dict[str, Any]]]:
    """The commands' ids and rows."""
    models: dict[int, ThingModel] = {}
    rows = [_named(order, now, models) for order in orders]
    _refuse_full(orders)
    _replace(orders, now)
    history = orjson.dumps([entry("queued", now)]).decode()
    changes = [change_of(row, now) for row in prepared(_INSERT, {"rows": orjson.dumps(rows).decode(), "history": history})]
    tell(changes)
    wake.queued({change.device_id for change in changes})
    return [(change.command_id, row) for change, row in zip(changes, rows, strict=True)]


def cancel(command: Command, *, person: User | None = None) -> Command:
    """Take a command back that was not sent yet. Raises Conflict: already_final, already_sent."""
    with transaction.atomic():
        by = {"reason": "by_person" if person else "by_platform", "error": ""}
        gone = moves.finish("id = %(id)s AND NOT in_flight", "cancelled", timezone.now(), wait=True, id=command.pk, **by)
        command.refresh_from_db()
    if not gone and command.final:
        raise Conflict("already_final", _("The command has ended already: %(state)s.") % {"state": command.state})
    if not gone:
        raise Conflict("already_sent", _("The command is on its way to the device; it cannot be taken back."))
    return command


def check(device: Device, name: str, params: Any, models: dict[int, ThingModel] | None = None) -> CommandType:
    """The command's type, where the device's thing model has it and takes these parameters. Raises ApiError as `send`.

    `models` keeps what was parsed, by product, for who checks many.
    """
    known = {} if models is None else models
    try:
        if device.product_id not in known:
            known[device.product_id] = parse(device.product.thing_model)
    except ThingModelError as error:
        raise refuse("unknown_command", _("The product's thing model cannot be read."), "name") from error
    kind = known[device.product_id].commands.get(name)
    if kind is None:
        raise refuse("unknown_command", _("The thing model has no command “%(name)s”.") % {"name": str(name)[:64]}, "name")
    try:
        kind.check_params(params)
    except Invalid as error:
        raise refuse(error.code, error.detail, "params") from error
    return kind


def _made(pk: int, row: dict[str, Any], order: Order, now: datetime) -> Command:
    """The command as it was written, without asking for it."""
    times = {"created_at": now, "due_at": now, "expires_at": datetime.fromisoformat(row["expires_at"])}
    made = Command(pk=pk, **{**row, **times}, history=[entry("queued", now)])
    made._state.adding, made._state.db = False, connection.alias
    made.device = order.device
    return made


def _named(order: Order, now: datetime, models: dict[int, ThingModel]) -> dict[str, Any]:
    """The row, and whatever the log says meanwhile with the device's name."""
    with bound_contextvars(device=order.device.key):
        return _row(order, now, models)


def _row(order: Order, now: datetime, models: dict[int, ThingModel]) -> dict[str, Any]:
    """The row of an order, everything checked."""
    if not order.device.enabled:
        raise refuse("device_disabled", _("The device is disabled."), "device")
    params = {} if order.params is None else order.params
    kind = check(order.device, order.name, params, models)
    if len(orjson.dumps(params)) > MAX_PARAMS:
        raise refuse("too_large", _("Parameters take at most %(limit)d bytes.") % {"limit": MAX_PARAMS}, "params")
    if order.hops > MAX_HOPS:
        raise refuse("too_many_hops", _("Rules have commanded each other %(limit)d times.") % {"limit": MAX_HOPS}, "hops")
    if not -MAX_PRIORITY <= order.priority <= MAX_PRIORITY:
        raise refuse("out_of_range", _("A priority lies between −%(limit)d and %(limit)d.") % {"limit": MAX_PRIORITY}, "priority")
    expires_in = _seconds(order.expires_in, EXPIRES_IN, MAX_EXPIRES_IN, "expires_in")
    return {
        "device_id": order.device.pk,
        "person_id": order.person.pk if order.person else None,
        "name": order.name,
        "params": params,
        "priority": order.priority,
        "replace_key": order.replace_key,
        "idempotent": kind.idempotent,
        "one_way": not kind.reply,
        "timeout": _seconds(order.timeout, kind.timeout or TIMEOUT, MAX_TIMEOUT, "timeout"),
        "hops": order.hops,
        "created_at": now.isoformat(),
        "expires_at": (now + timedelta(seconds=expires_in)).isoformat(),
    }


def _seconds(given: float | None, default: float, most: float, field: str) -> float:
    if given is None:
        return default
    if not 0 < given <= most:
        raise refuse("out_of_range", _("Give seconds above 0, at most %(limit)d.") % {"limit": most}, field)
    return float(given)


def _refuse_full(orders: Sequence[Order]) -> None:
    """A queue that nobody empties must not grow for ever."""
    more: dict[int, int] = {}
    for order in orders:
        more[order.device.pk] = more.get(order.device.pk, 0) + 1
    query = "SELECT device_id, count(*) FROM devices_command WHERE finished_at IS NULL AND NOT in_flight AND device_id = ANY(%s) GROUP BY 1"
    with connection.cursor() as cursor:
        cursor.execute(query, [sorted(more)])
        waiting = dict(cursor.fetchall())
    full = {device_id for device_id, count in more.items() if count + waiting.get(device_id, 0) > MAX_QUEUED}
    if full:
        with bound_contextvars(device=next(order.device.key for order in orders if order.device.pk in full)):
            raise refuse("queue_full", _("%(limit)d commands wait for this device already.") % {"limit": MAX_QUEUED}, "device")


def _replace(orders: Sequence[Order], now: datetime) -> None:
    """Cancel what is queued with the same key; what is in flight goes on."""
    for order in orders:
        if order.replace_key:
            which = "device_id = %(device)s AND replace_key = %(key)s AND NOT in_flight"
            given = {"device": order.device.pk, "key": order.replace_key}
            moves.finish(which, "cancelled", now, wait=True, reason="replaced", error="", **given)
