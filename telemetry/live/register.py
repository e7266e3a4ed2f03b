"""Who watches what: each web process keeps one entry in Valkey, every publisher reads them all.

Entries expire by themselves, so a killed web process stops costing anything within seconds. Whoever changes an entry
says so on a channel, so that publishers need not wait for their next look.
"""

from typing import NamedTuple, Self, cast

import orjson
import redis
import redis.asyncio

from iotpanel.valkey import PREFIX

WATCHERS = f"{PREFIX}live:watchers"  # a set of watcher ids
CHANGED = f"{PREFIX}live:changed"  # the channel on which changes are announced
RECORDER = "recorder-"  # begins the ids of watchers that want frames kept, not sent
LIFETIME = 6.0  # seconds that an entry lives without being renewed
RENEW = 2.0


def channel(watcher: str) -> str:
    """The channel on which a watcher is sent its batches."""
    return f"{PREFIX}live:to:{watcher}"


def _entry(watcher: str) -> str:
    return f"{PREFIX}live:watcher:{watcher}"


class Interest(NamedTuple):
    """What one watcher wants: readings and status of devices, raw frames of devices, status of whole tenants, notices by topic."""

    devices: frozenset[int] = frozenset()
    frames: frozenset[int] = frozenset()
    tenants: frozenset[int] = frozenset()
    notices: frozenset[str] = frozenset()

    def dump(self) -> bytes:
        return orjson.dumps({name: list(wanted) for name, wanted in self._asdict().items()})

    @classmethod
    def load(cls, entry: bytes | str) -> Self:
        data = orjson.loads(entry)
        return cls(frozenset(data["devices"]), frozenset(data["frames"]), frozenset(data["tenants"]), frozenset(data.get("notices", ())))


class Audience(NamedTuple):
    """All watchers at one moment, with the union of what they want."""

    watchers: dict[str, Interest]
    devices: frozenset[int]
    frames: frozenset[int]
    tenants: frozenset[int]
    notices: frozenset[str]

    def listening(self) -> list[tuple[str, Interest]]:
        """Those who want to be sent what they watch; a recorder only wants it kept."""
        return [(name, interest) for name, interest in self.watchers.items() if not name.startswith(RECORDER)]

    @classmethod
    def of(cls, watchers: dict[str, Interest]) -> Self:
        wanted = watchers.values()
        return cls(
            watchers,
            frozenset[int]().union(*(each.devices for each in wanted)),
            frozenset[int]().union(*(each.frames for each in wanted)),
            frozenset[int]().union(*(each.tenants for each in wanted)),
            frozenset[str]().union(*(each.notices for each in wanted)),
        )


NOBODY = Audience.of({})


def read(client: "redis.Redis") -> Audience:
    """Everybody's interest; forgets those whose entry has expired. Raises redis.RedisError."""
    names = [str(name, "ascii") for name in cast(set[bytes], client.smembers(WATCHERS))]
    if not names:
        return NOBODY
    entries = dict(zip(names, client.mget([_entry(name) for name in names]), strict=True))
    if gone := [name for name, entry in entries.items() if entry is None]:
        client.srem(WATCHERS, *gone)
    return Audience.of({name: Interest.load(entry) for name, entry in entries.items() if entry is not None})


async def write(client: "redis.asyncio.Redis", watcher: str, interest: Interest, *, announce: bool) -> None:
    """Enter or renew a watcher's interest; `announce` where it changed. Raises redis.RedisError."""
    async with client.pipeline(transaction=False) as pipe:
        pipe.set(_entry(watcher), interest.dump(), px=int(LIFETIME * 1000))
        pipe.sadd(WATCHERS, watcher)
        if announce:
            pipe.publish(CHANGED, watcher)
        await pipe.execute()


async def remove(client: "redis.asyncio.Redis", watcher: str) -> None:
    async with client.pipeline(transaction=False) as pipe:
        pipe.delete(_entry(watcher))
        pipe.srem(WATCHERS, watcher)
        pipe.publish(CHANGED, watcher)
        await pipe.execute()


def watch_notice(client: "redis.Redis", topic: str, *, seconds: int) -> None:
    """Have something noted for a while, without being sent it. Raises redis.RedisError."""
    watcher = f"{RECORDER}{topic}"
    with client.pipeline(transaction=False) as pipe:
        pipe.set(_entry(watcher), Interest(notices=frozenset([topic])).dump(), px=seconds * 1000)
        pipe.sadd(WATCHERS, watcher)
        pipe.publish(CHANGED, watcher)
        pipe.execute()


def watch_frames(client: "redis.Redis", device_id: int, *, seconds: int) -> None:
    """Have a device's raw frames recorded for a while, without being sent them. Raises redis.RedisError."""
    watcher = f"{RECORDER}{device_id}"
    with client.pipeline(transaction=False) as pipe:
        pipe.set(_entry(watcher), Interest(frames=frozenset([device_id])).dump(), px=seconds * 1000)
        pipe.sadd(WATCHERS, watcher)
        pipe.publish(CHANGED, watcher)
        pipe.execute()
