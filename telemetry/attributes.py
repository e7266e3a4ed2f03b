"""What changes rarely: reported by the device, or set on the server for itself or to be shared with the device."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone

from devices.downlink import shadow
from devices.exceptions import Invalid
from devices.messages import AttributeReport
from devices.models import Device
from devices.timestamps import to_microseconds
from iotpanel.statements import execute

from . import attribute_history
from .attribute_history import Change
from .models import Attribute
from .models.attribute import Scope
from .stores.backend.packed import bigints, instants, jsons, texts
from .stores.base import Verdict, Written
from .stores.instants import same
from .stores.poison import REFUSED
from .stores.session import unavailable_unless_refused

Key = tuple[int, str]
Entry = tuple[Any, int]  # a value and its instant, in µs since 1970

# The device's row is held, so that its deletion can't slip in between and fail the batch at its end.
LOCK = "SELECT id FROM devices_device WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"
EXISTING = """
    SELECT device_id, key, value, (extract(epoch FROM at) * 1000000)::bigint
    FROM telemetry_attribute WHERE device_id = ANY(%s) AND scope = 'reported' ORDER BY device_id, key FOR UPDATE
"""
UPSERT = """
    INSERT INTO telemetry_attribute AS row (device_id, scope, key, value, at)
    SELECT device_id, 'reported', key, value, at FROM unnest(%s, %s, %s, %s) AS new (device_id, key, value, at) ORDER BY 1, 3
    ON CONFLICT (device_id, scope, key) DO UPDATE SET value = excluded.value, at = excluded.at WHERE row.at <= excluded.at
"""


def write_reported(reports: Sequence[AttributeReport]) -> list[Verdict]:
    """Write what devices reported, in the caller's transaction; the newer instant wins, key by key.

    One verdict per report, in order; one that changes nothing (equal, or older than what is there) is a duplicate.
    A device that was deleted meanwhile makes its report Invalid. Raises Unavailable.
    """
    try:
        with unavailable_unless_refused():
            return _write(reports) if reports else []
    except REFUSED as error:
        if len(reports) == 1:
            return [Invalid("store_refused", str(error).strip().partition("\n")[0])]
    return [write_reported([report])[0] for report in reports]  # one of them is poison: judge each alone, in order


def _write(reports: Sequence[AttributeReport]) -> list[Verdict]:
    ids = bigints(sorted({report.device_id for report in reports}))
    there = {row[0] for row in execute(LOCK, [ids])}
    entries: dict[Key, Entry] = {(device_id, key): (orjson.loads(value), at) for device_id, key, value, at in execute(EXISTING, [ids])}
    changed: set[Key] = set()
    history: list[Change] = []
    verdicts: list[Verdict] = []
    for report in reports:
        if report.device_id in there:
            verdicts.append(_apply(report, entries, changed, history))
        else:
            verdicts.append(Invalid("unknown_device", "The device was deleted."))
    _upsert({key: entries[key] for key in sorted(changed)})
    attribute_history.note(history)
    return verdicts


def _apply(report: AttributeReport, entries: dict[Key, Entry], changed: set[Key], history: list[Change]) -> Written:
    news = {(report.device_id, name): (value, report.at) for name, value in report.values.items()}
    winners = {key: entry for key, entry in news.items() if key not in entries or _wins(entry, entries[key])}
    history += [
        Change(report.device_id, Scope.REPORTED.value, name, at, value)
        for (_, name), (value, at) in winners.items()
        if (key := (report.device_id, name)) not in entries or not same(value, entries[key][0])
    ]
    entries.update(winners)
    changed.update(winners)
    return Written.STORED if winners else Written.DUPLICATE


def _wins(new: Entry, old: Entry) -> bool:
    return new[1] > old[1] or (new[1] == old[1] and not same(new[0], old[0]))


def _upsert(rows: Mapping[Key, Entry]) -> None:
    if not rows:
        return
    ids, names = zip(*rows, strict=True)
    values, moments = zip(*rows.values(), strict=True)
    execute(UPSERT, [bigints(ids), texts(names), jsons([orjson.dumps(value) for value in values]), instants(moments)])


@transaction.atomic
def set_server(device: Device, *, scope: Scope, values: Mapping[str, Any], at: datetime | None = None) -> None:
    """Set attributes of the server (`Scope.SERVER` or `Scope.SHARED`); a value of None removes its key.

    Raises ValueError for the device's own scope.
    """
    if scope == Scope.REPORTED:
        raise ValueError("The device alone reports its attributes.")
    at = at or timezone.now()
    if scope == Scope.SHARED:
        shadow.share(device, values)
    own = Attribute.objects.filter(device=device, scope=scope)
    before = dict(own.values_list("key", "value"))
    own.filter(key__in=[key for key, value in values.items() if value is None]).delete()
    rows = [Attribute(device=device, scope=scope, key=key, value=value, at=at) for key, value in values.items() if value is not None]
    Attribute.objects.bulk_create(rows, update_conflicts=True, unique_fields=["device", "scope", "key"], update_fields=["value", "at"])
    moment = to_microseconds(at)
    changed = {key: value for key, value in values.items() if not same(value, before.get(key))}
    attribute_history.note([Change(device.pk, scope.value, key, moment, value) for key, value in changed.items()])


def read(device_id: int) -> dict[str, dict[str, Entry]]:
    """`{scope: {key: (value, µs since 1970)}}`, every scope present."""
    found: dict[str, dict[str, Entry]] = {scope.value: {} for scope in Scope}
    for attribute in Attribute.objects.filter(device_id=device_id):
        found[attribute.scope][attribute.key] = (attribute.value, to_microseconds(attribute.at))
    return found
