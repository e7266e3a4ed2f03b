"""What travels between workers and web processes, as JSON in Valkey's pub/sub."""

from typing import Any, NamedTuple, TypedDict

import orjson


class Reading(NamedTuple):
    """The newest value of one property; `times` readings went into it, so `times - 1` were passed over."""

    device_id: int
    property: str
    at: int  # microseconds
    value: Any
    times: int = 1


class Status(NamedTuple):
    """A device came or went. The key and the tenant travel along for those who watch a whole tenant."""

    device_id: int
    key: str
    tenant_id: int
    online: bool
    at: int | None  # microseconds; None: never heard


class Notice(NamedTuple):
    """Something that happened in a tenant and is told one by one, in order and at once: a command's change, an alarm's."""

    kind: str  # the message's `type`
    tenant_id: int
    device_id: int
    data: Any  # JSON

    @property
    def topic(self) -> str:
        return notice_topic(self.kind, self.tenant_id)


def notice_topic(kind: str, tenant_id: int) -> str:
    """What a watcher enters to be told of this kind in a tenant."""
    return f"{kind}:{tenant_id}"


class Batch(TypedDict):
    """What one tick has for one web process: tuples as lists, frames as their JSON objects with the device's id."""

    readings: list[list[Any]]
    status: list[list[Any]]
    frames: list[list[Any]]
    notices: list[list[Any]]


def pack(
    readings: list[Reading], status: list[Status], frames: list[tuple[int, dict[str, Any]]], notices: list[Notice] | None = None
) -> bytes:
    # orjson takes plain tuples only.
    plain = {"readings": readings, "status": status, "notices": notices or []}
    return orjson.dumps({**{name: [tuple(each) for each in rows] for name, rows in plain.items()}, "frames": frames})  # type: ignore[attr-defined]


def unpack(payload: bytes) -> Batch:
    batch: Batch = orjson.loads(payload)
    return batch


def milliseconds(at: int) -> int | float:
    """An instant in milliseconds, as every `ts` of the contract; whole where it is whole."""
    return at // 1000 if at % 1000 == 0 else at / 1000
