"""The small immutable types that cross every border of the uplink and the downlink.

Named tuples, because one is made per message: they cost a third of a frozen dataclass. Instants are whole
microseconds since 1970 UTC (`at`: the device's clock, `received_at`: ours), so that the hot path never
builds a datetime.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

Values = dict[str, Any]
Ack = Callable[[], None]


class Uplink(NamedTuple):
    """What a connector received: bytes on a topic. The ack travels beside it, never in it.

    `only` is set by a replay that takes a single report out of a frame that held several.
    """

    topic: str
    payload: bytes
    received_at: int
    source: str = "mqtt"
    only: int | None = None


class Frame(NamedTuple):
    """One payload on its way through a codec script, with what the script may know of it."""

    payload: bytes
    topic: str
    device: str
    product: str
    port: int | None
    received_at: int


class Sample(NamedTuple):
    """Values of one instant as a codec found them: not yet checked, `ts` as the device wrote it."""

    ts: Any
    values: Any


class Decoded(NamedTuple):
    """What a codec made of one frame: its samples, and what the script printed."""

    samples: list[Sample]
    log: list[str]


class Report(NamedTuple):
    """The checked readings of one device at one instant: one row of the store."""

    device_id: int
    at: int
    values: Values
    received_at: int


class AttributeReport(NamedTuple):
    """The checked attributes that a device reported at one instant."""

    device_id: int
    at: int
    values: Values
    received_at: int


class EventReport(NamedTuple):
    """One event of a device."""

    device_id: int
    at: int
    name: str
    params: Values
    received_at: int


class Presence(NamedTuple):
    """Word that a device is there or gone. `cause`: uplink, status, will, broker or silence."""

    device_id: int
    online: bool
    at: int
    cause: str


class DeadLetter(NamedTuple):
    """An uplink, or the one report of it (by its `position`), that could not be accepted, with its bytes.

    `key` is the device key that the topic or the gateway's payload named, known or not; `entry` the report's place in
    a list, for whoever sent the list.
    """

    reason: str
    detail: str
    topic: str
    payload: bytes
    received_at: int
    source: str
    key: str
    position: int | None = None
    device_id: int | None = None
    product_id: int | None = None
    tenant_id: int | None = None
    entry: int | None = None


class Downlink(NamedTuple):
    """Bytes for a device, on one of its topics."""

    topic: str
    payload: bytes
    device_id: int
