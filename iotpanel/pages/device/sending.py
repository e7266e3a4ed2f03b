"""A message that a person sends as a device: it takes the whole way of a real one, but for the broker."""

import re
from collections.abc import Mapping
from time import perf_counter, time
from typing import Any, NamedTuple

import orjson
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from devices.exceptions import Unavailable
from devices.messages import DeadLetter, Uplink
from devices.models import Device
from devices.snippets import Message
from devices.topics import KEY, up
from telemetry import latest
from telemetry.tiles import Tile, tiles
from telemetry.uplink.pipeline import Outcome, process

LARGEST = 1_048_576  # bytes, as the broker has it
SHOWN = 12
KINDS = [
    ("telemetry", gettext_lazy("telemetry")),
    ("attributes", gettext_lazy("attributes")),
    ("event", gettext_lazy("event")),
    ("raw", gettext_lazy("raw bytes")),
]


class Draft(NamedTuple):
    """What stands in the form at first."""

    kind: str
    payload: str
    port: int | None


class Sent(NamedTuple):
    """What became of a message: `problem` says why it could not be sent at all. `values` are the device's newest."""

    problem: str = ""
    outcome: Outcome = Outcome()
    took: float = 0.0  # ms
    values: tuple[Tile, ...] = ()

    @property
    def letter(self) -> DeadLetter | None:
        return self.outcome.letters[0] if self.outcome.letters else None


def form_of(message: Message, values: dict[str, Any]) -> Draft:
    """A message that the product accepts, ready to be sent."""
    if message.values is None:
        last = message.topic.rsplit("/", 1)[-1]
        return Draft("raw", message.frame.hex(" "), int(last) if last.isdigit() else None)
    return Draft("telemetry", orjson.dumps(values, option=orjson.OPT_INDENT_2).decode(), None)


def send(device: Device, sent: Mapping[str, str]) -> Sent:
    """Send what a form holds (`kind`, `payload`, `encoding`, `name`, `port`); never raises for what a person typed."""
    try:
        uplink = Uplink(topic_of(device, sent), payload_of(sent), int(time() * 1_000_000), "page")
    except ValueError as error:
        return Sent(problem=str(error))
    before = latest.read([device.pk]).get(device.pk, {})
    began = perf_counter()
    try:
        outcome = process([uplink])
    except Unavailable:
        return Sent(problem=_("The database does not answer. Nothing was sent; try again."))
    took = round((perf_counter() - began) * 1000, 1)
    return Sent(outcome=outcome, took=took, values=tuple(_changed(device, before)[:SHOWN]))


def _changed(device: Device, before: dict[str, tuple[Any, int]]) -> list[Tile]:
    """The values that are newer than `before`."""
    known = {name: at / 1000 for name, (_, at) in before.items()}
    return [tile for tile in tiles(device) if tile.at is not None and known.get(tile.prop.key) != tile.at]


def topic_of(device: Device, sent: Mapping[str, str]) -> str:
    """The device's topic of this kind. Raises ValueError with a sentence."""
    kind, name, port = sent.get("kind", ""), sent.get("name", "").strip(), sent.get("port", "").strip()
    if kind in ("telemetry", "attributes"):
        return up(device.key, kind)
    if kind == "event":
        if not KEY.fullmatch(name):
            raise ValueError(_("An event’s name has letters, digits, “_”, “.” and “-”."))
        return up(device.key, "events", name)
    if kind == "raw":
        if port and not re.fullmatch(r"[0-9]{1,5}", port):
            raise ValueError(_("A port is a whole number."))
        return up(device.key, "raw", *([port] if port else []))
    raise ValueError(_("Choose what kind of message it is."))


def payload_of(sent: Mapping[str, str]) -> bytes:
    """The bytes that a person wrote: raw ones as hex digits or as text, all others as they stand. Raises ValueError."""
    text = sent.get("payload", "")
    if sent.get("kind") == "raw" and sent.get("encoding", "hex") == "hex":
        payload = hex_bytes(text)
    else:
        payload = text.encode("utf-8", "surrogatepass")
    if len(payload) > LARGEST:
        raise ValueError(_("A message has at most 1 MB."))
    return payload


def hex_bytes(text: str) -> bytes:
    """Bytes out of hex digits as people paste them: `01 ff`, `01ff`, `01:FF`, `0x01, 0xff`."""
    digits = re.sub(r"0x|[\s:,;-]", "", text, flags=re.IGNORECASE)
    try:
        return bytes.fromhex(digits)
    except ValueError as error:
        raise ValueError(_("These are not pairs of hex digits.")) from error
