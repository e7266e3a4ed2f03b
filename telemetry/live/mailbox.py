"""What waits for one connection: the newest value of each property, never a queue that grows."""

import asyncio
from collections import deque
from typing import Any

from .newest import Newest, Slot
from .wire import Notice, Reading, Status, milliseconds

ROOM = 20_000  # properties that may wait
FRAMES = 500  # raw frames that may wait
NOTICES = 1_000  # notices that may wait
Message = dict[str, Any]


class Mailbox:
    """Lives in the event loop of its connection. `filters` says which properties of which device are wanted.

    `names` maps device ids to keys: the worker sends ids, the contract speaks in keys.
    """

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.filters: dict[int, frozenset[str] | None] = {}
        self._readings = Newest(ROOM)
        self._status: dict[str, tuple[bool, int | None]] = {}
        self._frames: deque[Message] = deque(maxlen=FRAMES)
        self._lost_frames = 0
        self._given: dict[Slot, int] = {}
        self._states: dict[str, int] = {}
        self._filled = asyncio.Event()
        self._notices: deque[Message] = deque(maxlen=NOTICES)
        self._lost_notices = 0
        self._noticed = asyncio.Event()

    async def wait(self) -> None:
        """Until there is something to take."""
        await self._filled.wait()

    def put(self, reading: Reading) -> None:
        """A reading as it comes from the worker."""
        wanted = self.filters.get(reading.device_id, frozenset())
        if wanted is not None and reading.property not in wanted:
            return
        self._readings.put(*reading)
        self._remember((reading.device_id, reading.property), reading.at)
        self._filled.set()

    def fill(self, reading: Reading) -> None:
        """A reading as the database has it, for what may have passed before we listened: only if it is news."""
        if self._given.get((reading.device_id, reading.property), -1) < reading.at:
            self.put(reading)

    def put_status(self, status: Status) -> None:
        self._status[status.key] = (status.online, status.at)
        if len(self._states) >= ROOM:
            self._states.clear()
        self._states[status.key] = status.at or 0
        self._filled.set()

    def fill_status(self, status: Status) -> None:
        """A state as the database has it: unless a newer one has come in the meantime."""
        if self._states.get(status.key, -1) < (status.at or 0):
            self.put_status(status)

    def put_frame(self, device_id: int, frame: Message) -> None:
        if len(self._frames) == FRAMES:
            self._lost_frames += 1
        self._frames.append({"device": self.names.get(device_id, ""), **frame})
        self._filled.set()

    def put_notice(self, notice: Notice) -> None:
        if len(self._notices) == NOTICES:
            self._lost_notices += 1
        self._notices.append({"type": notice.kind, "data": notice.data})
        self._noticed.set()

    async def notices(self) -> list[Message]:
        """Waits for notices, and takes them: each is a message of its own."""
        await self._noticed.wait()
        self._noticed.clear()
        messages, skipped = list(self._notices), self._lost_notices
        self._notices.clear()
        self._lost_notices = 0
        return [_with_skipped(messages[0], skipped), *messages[1:]] if messages else []

    def forget(self, device_ids: set[int]) -> None:
        """Drop what waits of devices that are no longer watched."""
        self._readings.drop(device_ids)
        for device_id in device_ids:
            self.filters.pop(device_id, None)
        self._given = {slot: at for slot, at in self._given.items() if slot[0] not in device_ids}

    def take(self) -> list[Message]:
        """The messages to send now; empties the mailbox."""
        self._filled.clear()
        messages = [self._take_status(), self._take_readings(), self._take_frames()]
        return [message for message in messages if message is not None]

    def _take_readings(self) -> Message | None:
        readings, skipped = self._readings.take()
        if not readings:
            return None
        skipped += sum(reading.times - 1 for reading in readings)
        data = [[self.names.get(each.device_id, ""), each.property, milliseconds(each.at), each.value] for each in readings]
        return _with_skipped({"type": "readings", "data": data}, skipped)

    def _take_status(self) -> Message | None:
        if not self._status:
            return None
        status, self._status = self._status, {}
        data = [[key, online, None if at is None else milliseconds(at)] for key, (online, at) in status.items()]
        return {"type": "status", "data": data}

    def _take_frames(self) -> Message | None:
        if not self._frames:
            return None
        frames, self._frames = list(self._frames), deque(maxlen=FRAMES)
        skipped, self._lost_frames = self._lost_frames, 0
        return _with_skipped({"type": "frames", "data": frames}, skipped)

    def _remember(self, slot: Slot, at: int) -> None:
        """When each property's newest reading was; forgetting it costs a repeated reading at worst."""
        if len(self._given) >= ROOM:
            self._given.clear()
        self._given[slot] = max(at, self._given.get(slot, -1))


def _with_skipped(message: Message, skipped: int) -> Message:
    return {**message, "skipped": skipped} if skipped else message
