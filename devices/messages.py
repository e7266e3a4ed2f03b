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


class Reply(NamedTuple):
    """A device's word on a command: `ok`, `error`, or `received` where it is not done yet."""

    device_id: int
    command_id: int
    status: str
    result: Any
    error: str
    received_at: int


class ShadowReport(NamedTuple):
    """What a device says of its state: a merge patch of `reported`, or nothing where it asks for the whole shadow.

    `version` is the shadow's version that the report answers, where the device says so.
    """

    device_id: int
    patch: Values | None
    version: int | None
    received_at: int


class Progress(NamedTuple):
    """A device's word on what a job has told it. `kind`: `ota`, `chunk` (it wants a piece of its image) or `credentials`.

    `version` is of the firmware that it is about, `number` the percentage, the piece's offset, or the errand's id.
    """

    device_id: int
    kind: str
    state: str
    version: str
    number: int
    length: int
    error: str
    received_at: int


class CommandChange(NamedTuple):
    """A command came into a state; told to the sinks in the transaction that wrote it. `at` is in µs since 1970.

    `hops` counts the rules that led to it, so that rules which command each other come to an end.
    """

    command_id: int
    device_id: int
    tenant_id: int
    key: str
    name: str
    params: Values
    state: str
    at: int
    final: bool
    reason: str
    error: str
    result: Any
    priority: int
    attempts: int
    hops: int
    created_at: int
    expires_at: int


class ShadowChange(NamedTuple):
    """A shadow changed; `part` is `desired`, `reported` or `shared`, `patch` what was merged into it. `at` is in µs since 1970.

    `hops` counts the rules that led to it.
    """

    device_id: int
    tenant_id: int
    key: str
    part: str
    patch: Values
    delta: Values
    version: int
    at: int
    hops: int = 0


Change = Presence | CommandChange | ShadowChange
