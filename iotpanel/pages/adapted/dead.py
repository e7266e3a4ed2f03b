"""What was given up, as people read it."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from devices.models import Device
from rules.models import OutboxItem

SHOWN = 400  # characters of a message


class Dead(NamedTuple):
    item: OutboxItem
    device: str
    text: str


def dead_of(items: Iterable[OutboxItem]) -> list[Dead]:
    """Each with its device's key and its message."""
    found = list(items)
    names = dict(Device.objects.filter(pk__in={item.device_id for item in found}).values_list("pk", "key"))
    return [Dead(item, _device(item, names), _text(item.payload)) for item in found]


def _device(item: OutboxItem, names: dict[int, str]) -> str:
    entries = item.payload.get("entries")
    if isinstance(entries, list) and entries and isinstance(entries[0], list):
        return str(entries[0][0])
    return names.get(item.device_id or 0, "") or str(item.payload.get("device", ""))


def _text(payload: dict[str, Any]) -> str:
    entries = payload.get("entries")
    shown: Any = entries[0][2:] if isinstance(entries, list) and entries and isinstance(entries[0], list) else payload
    return orjson.dumps(shown[0] if isinstance(shown, list) and len(shown) == 1 else shown).decode()[:SHOWN]
