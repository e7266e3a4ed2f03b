"""The web process's end of the live path: one subscription to Valkey, fanned out to the process's connections."""

import asyncio
import uuid
import weakref
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypedDict, TypeVar, Unpack

import redis
import structlog

from iotpanel import valkey

from . import register, wire
from .mailbox import Mailbox

T = TypeVar("T", int, str)
RETRY = 1.0  # seconds
log = structlog.get_logger(__name__)


class Wanted(TypedDict, total=False):
    """Ids of devices, of devices whose raw frames are looked at, and of tenants; topics of notices."""

    devices: Iterable[int]
    frames: Iterable[int]
    tenants: Iterable[int]
    notices: Iterable[str]


class Listener(NamedTuple):
    """One connection: where its messages go, and what to call when messages may have been missed."""

    mailbox: Mailbox
    catch_up: Callable[[], Any]

    def __hash__(self) -> int:
        return id(self.mailbox)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Listener) and other.mailbox is self.mailbox


class Hub:
    """One per event loop. Subscribed while at least one connection is there; survives Valkey's absence."""

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self._listeners: set[Listener] = set()
        self._devices: dict[int, set[Listener]] = {}
        self._frames: dict[int, set[Listener]] = {}
        self._tenants: dict[int, set[Listener]] = {}
        self._notices: dict[str, set[Listener]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._subscribed = asyncio.Event()
        self._client: Any = None

    def __len__(self) -> int:
        return len(self._listeners)

    def join(self, listener: Listener) -> None:
        self._listeners.add(listener)
        if not self._tasks:
            self._client = valkey.async_client()
            self._tasks = [asyncio.create_task(self._listen_forever()), asyncio.create_task(self._renew_forever())]

    async def leave(self, listener: Listener) -> None:
        """The connection is gone; the last one ends the subscription."""
        self._listeners.discard(listener)
        for watched in (self._devices, self._frames, self._tenants):
            _unwatch(watched, list(watched), listener)
        _unwatch(self._notices, list(self._notices), listener)
        if self._listeners:
            await self._announce()
        else:
            _forget(self)  # who comes while this one closes gets a new one
            await self._close()

    async def watch(
        self,
        listener: Listener,
        **wanted: Unpack[Wanted],
    ) -> None:
        """Have these sent to the listener; returns when the workers have been told, or Valkey is away."""
        for watched, ids in self._by_id(wanted):
            for each in ids:
                watched.setdefault(each, set()).add(listener)
        for topic in wanted.get("notices", ()):
            self._notices.setdefault(topic, set()).add(listener)
        await self._announce()

    async def unwatch(
        self,
        listener: Listener,
        **unwanted: Unpack[Wanted],
    ) -> None:
        for watched, ids in self._by_id(unwanted):
            _unwatch(watched, ids, listener)
        _unwatch(self._notices, unwanted.get("notices", ()), listener)
        await self._announce()

    def _by_id(self, named: Wanted) -> tuple[tuple[dict[int, set[Listener]], Iterable[int]], ...]:
        """What is watched by number, each with the numbers that are named."""
        return (
            (self._devices, named.get("devices", ())),
            (self._frames, named.get("frames", ())),
            (self._tenants, named.get("tenants", ())),
        )

    def dispatch(self, batch: wire.Batch) -> None:
        """Put a worker's batch into the mailboxes of those who watch."""
        for item in batch["readings"]:
            reading = wire.Reading(*item)
            for listener in self._devices.get(reading.device_id, ()):
                listener.mailbox.put(reading)
        for item in batch["status"]:
            status = wire.Status(*item)
            watching = self._devices.get(status.device_id, set()) | self._tenants.get(status.tenant_id, set())
            for listener in watching:
                listener.mailbox.put_status(status)
        for device_id, frame in batch["frames"]:
            for listener in self._frames.get(device_id, ()):
                listener.mailbox.put_frame(device_id, frame)

        for item in batch.get("notices", ()):
            notice = wire.Notice(*item)
            for listener in self._notices.get(notice.topic, ()):
                listener.mailbox.put_notice(notice)

    def _receive(self, data: bytes) -> None:
        try:
            self.dispatch(wire.unpack(data))
        except (ValueError, TypeError, KeyError) as error:  # a worker of another version, during an upgrade
            log.error("live_batch_not_understood", error=str(error))

    def _interest(self) -> register.Interest:
        return register.Interest(frozenset(self._devices), frozenset(self._frames), frozenset(self._tenants), frozenset(self._notices))

    async def _announce(self) -> None:
        """Tell the workers at once. Subscribed first: what they send before that would be lost."""
        try:
            async with asyncio.timeout(RETRY):
                await self._subscribed.wait()
                await register.write(self._client, self.id, self._interest(), announce=True)
        except (redis.RedisError, TimeoutError) as error:
            log.warning("live_watch_not_announced", error=str(error))

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(register.RENEW)
            try:
                await register.write(self._client, self.id, self._interest(), announce=False)
            except Exception as error:  # it is tried again
                log.warning("live_watch_not_renewed", error=str(error))

    async def _listen_forever(self) -> None:
        again = False
        while True:
            try:
                await self._listen(again)
            except Exception as error:  # whatever it is: without this task no browser of the process sees anything
                log.warning("live_subscription_lost", error=str(error))
            self._subscribed.clear()
            again = True
            await asyncio.sleep(RETRY)

    async def _listen(self, again: bool) -> None:
        async with valkey.async_client(retries=0) as client, client.pubsub(ignore_subscribe_messages=True) as heard:
            await heard.subscribe(register.channel(self.id))
            self._subscribed.set()
            if again:
                await register.write(client, self.id, self._interest(), announce=True)
                for listener in self._listeners:
                    listener.catch_up()
            async for message in heard.listen():
                self._receive(message["data"])

    async def _close(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await register.remove(self._client, self.id)
        except redis.RedisError as error:
            log.warning("live_watch_not_removed", error=str(error))
        await self._client.aclose()


def _unwatch(watched: dict[T, set[Listener]], ids: Iterable[T], listener: Listener) -> None:
    for each in ids:
        listeners = watched.get(each, set())
        listeners.discard(listener)
        if not listeners:
            watched.pop(each, None)


_hubs: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = weakref.WeakKeyDictionary()


def hub() -> Hub:
    """The running event loop's hub."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())


def _forget(closing: Hub) -> None:
    loop = asyncio.get_running_loop()
    if _hubs.get(loop) is closing:
        del _hubs[loop]
