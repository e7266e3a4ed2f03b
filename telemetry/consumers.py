"""`/ws/live/`: one connection per browser or service, on which it says what it wants to see and is sent what changes."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import orjson
import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseTrouble

from iotpanel import metrics
from iotpanel.api.errors import ApiError, TooMany, Unauthorized
from iotpanel.tenants.models import Role
from iotpanel.tenants.sockets import Caller, identify

from .live.allowance import Allowance
from .live.flow import flow_of
from .live.hub import Listener, hub
from .live.mailbox import Mailbox
from .live.outgoing import texts
from .live.requests import DEVICES, FRAMES, NOTICES, Wish, Wrong, parse
from .live.snapshot import ids_of, newest_readings, status_of
from .live.wire import notice_topic

TICK = 0.1  # seconds between two frames of readings
# A publisher looks once a second who watches, should it have missed the announcement: what it let pass is in the database by then.
SECOND_LOOK = 1.5
RETRY = 3.0  # seconds, while the database is away
CHECK = 30.0  # seconds between two looks whether the caller may still be here
BURST, RATE = 60, 20  # messages of a client: at once, and per second
SCOPE = "devices:read"
SIGNED_OUT, FORBIDDEN, TOO_MUCH = 4401, 4403, 4429  # close codes
log = structlog.get_logger(__name__)


class LiveConsumer(AsyncWebsocketConsumer):
    channel_layer_alias = "none"  # there is none: the hub has one subscription for all connections of the process

    caller: Caller | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Whatever ends the connection, a fault of ours or the server's end included, nothing of it stays behind."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._end()

    async def connect(self) -> None:
        try:
            caller = await database_sync_to_async(identify)(self.scope)
            if not caller.grant.allows(Role.VIEWER, SCOPE):
                raise ApiError("permission_denied", "Your key does not allow this.")
        except (Unauthorized, TooMany, DatabaseTrouble):
            await self.close()  # before it is accepted: the handshake is answered with 403
            return
        except ApiError as error:
            await self.accept()
            await self._refuse(error.code, error.message, FORBIDDEN)
            return
        await self.accept(subprotocol=caller.subprotocol)
        self._begin(caller)

    def _begin(self, caller: Caller) -> None:
        self.caller = caller
        self.mailbox = Mailbox()
        self.flow = flow_of(self.base_send)
        self.allowance = Allowance(BURST, RATE)
        self.hub = hub()
        self.listener = Listener(self.mailbox, self._catch_up)
        self.frames: dict[str, int] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.hub.join(self.listener)
        metrics.LIVE_CONNECTIONS.inc()
        self._spawn(self._send_forever())
        self._spawn(self._send_notices_forever())
        self._spawn(self._check_forever())

    async def disconnect(self, code: int) -> None:
        await self._end()

    async def _end(self) -> None:
        if self.caller is None:
            return
        self.caller = None
        metrics.LIVE_CONNECTIONS.dec()
        for task in list(self.tasks):
            task.cancel()
        await self.hub.leave(self.listener)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.caller is None:
            return
        if not self.allowance.take() or not self.flow.writable:
            # Who talks without reading the answers would have us keep them.
            await self._refuse("rate_limited", "Too many messages, or answers that are not read.", TOO_MUCH)
            return
        try:
            wish = parse(text_data or "")
            await (self._subscribe(wish) if wish.verb == "subscribe" else self._unsubscribe(wish))
        except Wrong as error:
            await self._say({"type": "error", "code": error.code, "message": error.message})
        except DatabaseTrouble as error:
            log.warning("live_database_unavailable", error=str(error))
            await self._say({"type": "error", "code": "unavailable", "message": "The database does not answer. Try again."})

    async def _subscribe(self, wish: Wish) -> None:
        assert self.caller is not None
        found = await database_sync_to_async(ids_of)(self.caller.tenant, {*wish.devices, *wish.frames})
        devices = {key: found[key] for key in wish.devices if key in found}
        frames = {key: found[key] for key in wish.frames if key in found}
        if len(self.mailbox.filters.keys() | devices.values()) > DEVICES or len(self.frames.keys() | frames) > FRAMES:
            raise Wrong("too_many", f"A connection may watch {DEVICES} devices, and the raw frames of {FRAMES}.")
        self._note(devices, frames, wish)
        refused = [key for key in dict.fromkeys((*wish.devices, *wish.frames)) if key not in found]
        answer = {"type": "subscribed", "devices": list(devices), "refused": refused}
        await self._say({**answer, "frames": list(frames)} if wish.frames else answer)
        tenants = [self.caller.tenant.pk] if wish.status else []
        notices = self._topics(wish.notices)
        await self.hub.watch(self.listener, devices=devices.values(), frames=frames.values(), tenants=tenants, notices=notices)
        if devices:
            self._spawn(self._fill(set(devices.values())))

    def _note(self, devices: dict[str, int], frames: dict[str, int], wish: Wish) -> None:
        self.mailbox.names.update((device_id, key) for key, device_id in (devices | frames).items())
        self.frames |= frames
        for device_id in devices.values():
            before = self.mailbox.filters.get(device_id, frozenset())
            everything = wish.properties is None or before is None
            self.mailbox.filters[device_id] = None if everything else before | wish.properties  # type: ignore[operator]

    async def _unsubscribe(self, wish: Wish) -> None:
        assert self.caller is not None
        names = self.mailbox.names
        ids = {key: device_id for device_id, key in names.items() if device_id in self.mailbox.filters}
        devices = ids if wish.everything else {key: ids[key] for key in wish.devices if key in ids}
        frames = dict(self.frames) if wish.everything else {key: self.frames[key] for key in wish.frames if key in self.frames}
        notices = tuple(NOTICES.values()) if wish.everything else wish.notices
        await self._drop(devices, frames, tenant=wish.everything or wish.status, notices=notices)
        await self._say({"type": "unsubscribed", "devices": list(devices)} | ({"frames": list(frames)} if frames else {}))

    def _topics(self, kinds: tuple[str, ...]) -> list[str]:
        assert self.caller is not None
        return [notice_topic(kind, self.caller.tenant.pk) for kind in kinds]

    async def _drop(self, devices: dict[str, int], frames: dict[str, int], *, tenant: bool = False, notices: tuple[str, ...] = ()) -> None:
        assert self.caller is not None
        self.mailbox.forget(set(devices.values()))
        for key in frames:
            del self.frames[key]
        tenants = [self.caller.tenant.pk] if tenant else []
        topics = self._topics(notices)
        await self.hub.unwatch(self.listener, devices=devices.values(), frames=frames.values(), tenants=tenants, notices=topics)

    async def _send_forever(self) -> None:
        """At most ten frames a second, the first at once; none while the browser does not read."""
        while True:
            await self.mailbox.wait()
            await self.flow.wait()
            for message in self.mailbox.take():
                metrics.LIVE_SKIPPED.inc(message.get("skipped", 0))
                for text in texts(message):
                    await self.flow.wait()
                    await self.send(text_data=text)
            await asyncio.sleep(TICK)

    async def _send_notices_forever(self) -> None:
        """Each by itself and at once."""
        while True:
            for message in await self.mailbox.notices():
                metrics.LIVE_SKIPPED.inc(message.get("skipped", 0))
                await self.flow.wait()
                await self._say(message)

    def _catch_up(self) -> None:
        """Called by the hub after it was cut off."""
        self._spawn(self._fill(set(self.mailbox.filters)))

    async def _fill(self, device_ids: set[int]) -> None:
        """The newest values and states as the database has them, now and once more when every publisher knows of us."""
        for pause in (0.0, SECOND_LOOK):
            await asyncio.sleep(pause)
            while not await self._fill_once(device_ids & set(self.mailbox.filters)):
                await asyncio.sleep(RETRY)

    async def _fill_once(self, device_ids: set[int]) -> bool:
        """Whether the database answered."""
        try:
            states = await database_sync_to_async(status_of)(device_ids)
            readings = await database_sync_to_async(newest_readings)(device_ids)
        except DatabaseTrouble as error:
            log.warning("live_snapshot_postponed", error=str(error))
            return False
        for status in states:
            self.mailbox.fill_status(status)
        for reading in readings:
            self.mailbox.fill(reading)
        return True

    async def _check_forever(self) -> None:
        """Signing out, a revoked key, a lost membership, a device that is gone: all end here within half a minute."""
        while True:
            await asyncio.sleep(CHECK * random.uniform(0.8, 1.2))  # noqa: S311 - spread, not secret
            try:
                await self._check()
            except DatabaseTrouble as error:
                log.warning("live_check_postponed", error=str(error))

    async def _check(self) -> None:
        assert self.caller is not None
        try:
            await database_sync_to_async(identify)(self.scope, tenant=self.caller.tenant)
        except ApiError as error:
            await self._refuse("signed_out", error.message, SIGNED_OUT)
            return
        mine = {self.mailbox.names[each]: each for each in self.mailbox.filters}
        found = await database_sync_to_async(ids_of)(self.caller.tenant, {*mine, *self.frames})
        gone = {key: device_id for key, device_id in mine.items() if found.get(key) != device_id}
        frames = {key: device_id for key, device_id in self.frames.items() if found.get(key) != device_id}
        if gone or frames:
            await self._drop(gone, frames)
            await self._say({"type": "unsubscribed", "devices": list(gone)} | ({"frames": list(frames)} if frames else {}))

    async def _refuse(self, code: str, message: str, close_code: int) -> None:
        await self._say({"type": "error", "code": code, "message": message})
        await self.close(code=close_code)

    async def _say(self, message: dict[str, Any]) -> None:
        await self.send(text_data=orjson.dumps(message).decode())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("live_task_failed", error=repr(error), exc_info=error)
