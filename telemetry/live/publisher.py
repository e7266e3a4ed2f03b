"""The committing process's end of the live path: best effort, bounded, never in the way of a batch."""

import atexit
import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import redis
import structlog

from devices.messages import Values
from iotpanel import metrics, valkey

from . import recorder, register, wire
from .newest import Newest

TICK = 0.1  # seconds between two sends
HURRY = 0.01  # seconds between two sends of notices
LOOK = 1.0  # seconds between two looks at who watches
ROOM = 50_000  # properties, status and frames that may wait for one tick
log = structlog.get_logger(__name__)

ReadingItem = tuple[int, str, int, Values]
StatusItem = tuple[int, str, int, bool, int]
FrameItem = tuple[int, str, bytes, int, str, str]


class Publisher:
    """One per process that commits batches. Every method but `start` and `stop` is thread-safe, quick and never raises.

    Two threads: one keeps `watched` and `framed` up to date, one sends what is waiting. Without Valkey both keep
    trying, and what cannot be sent is dropped: the database has it.
    """

    def __init__(self) -> None:
        self._audience = register.NOBODY
        self._lock = threading.Lock()
        self._readings = Newest(ROOM)
        self._status: dict[int, wire.Status] = {}
        self._frames: deque[tuple[int, dict[str, Any]]] = deque(maxlen=ROOM)
        self._notices: deque[wire.Notice] = deque(maxlen=ROOM)
        self._rings: deque[tuple[str, bytes, int, int]] = deque(maxlen=ROOM)
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def watched(self) -> frozenset[int]:
        """Ids of the devices whose readings some browser watches."""
        return self._audience.devices

    @property
    def framed(self) -> frozenset[int]:
        """Ids of the devices whose raw frames somebody watches."""
        return self._audience.frames

    @property
    def noticed(self) -> frozenset[str]:
        """Topics of notices (`wire.notice_topic`) that somebody watches."""
        return self._audience.notices

    def start(self) -> None:
        """Start the threads; a second call does nothing."""
        if not self._threads:
            self._stopping.clear()
            with contextlib.suppress(redis.RedisError):  # a first look at once: what is said first is heard too
                self._audience = register.read(valkey.client())
            for target in (self._look_forever, self._send_forever):
                thread = threading.Thread(target=target, name=f"live{target.__name__}", daemon=True)
                thread.start()
                self._threads.append(thread)

    def stop(self) -> None:
        """Send what is waiting and end the threads."""
        self._stopping.set()
        self._wake.set()
        self._hurry.set()
        with contextlib.suppress(redis.RedisError):
            valkey.client().publish(register.CHANGED, b"")  # wakes the thread that waits for changes
        for thread in self._threads:
            thread.join(timeout=valkey.TIMEOUT + 1)
        if self._threads:
            with contextlib.suppress(redis.RedisError):
                self._send()
        self._threads = []

    def readings(self, items: Iterable[ReadingItem]) -> None:
        """Readings that were committed: `(device id, device key, µs, values)`."""
        watched = self._audience.devices
        if not watched:
            return
        with self._lock:
            for device_id, _key, at, values in items:
                if device_id in watched:
                    for name, value in values.items():
                        self._readings.put(device_id, name, at, value)
        if self._readings:
            self._wake.set()

    def status(self, items: Iterable[StatusItem]) -> None:
        """Devices that came or went: `(device id, device key, tenant id, online, µs)`."""
        audience = self._audience
        for item in items:
            if item[0] in audience.devices or item[2] in audience.tenants:
                with self._lock:
                    self._status[item[0]] = wire.Status(*item)
                self._wake.set()

    def frames(self, items: Iterable[FrameItem], direction: str = "up") -> None:
        """Raw frames of one direction, up or down, oldest first: `(device id, topic, payload, received µs, verdict, detail)`."""
        framed = self._audience.frames
        if not framed:
            return
        for item in items:
            if item[0] in framed:
                self._frames.append((item[0], recorder.as_json(*item[1:], direction)))
                self._wake.set()

    def notices(self, items: Iterable[wire.Notice]) -> None:
        """What happened, in order; sent within a hundredth of a second."""
        noticed = self._audience.notices
        if not noticed:
            return
        for item in items:
            if item.topic in noticed:
                self._notices.append(item)
                self._hurry.set()
                self._wake.set()

    def keep(self, ring: str, entry: bytes, most: int, seconds: int) -> None:
        """Keep an entry in a ring of Valkey: the newest `most` of them, until so long after the last one."""
        self._rings.append((ring, entry, most, seconds))
        self._wake.set()

    def _look_forever(self) -> None:
        """Follow who watches: at once when somebody says so, and once a second in case we missed it."""
        while not self._stopping.is_set():
            try:
                with valkey.new_client() as client, client.pubsub(ignore_subscribe_messages=True) as heard:
                    heard.subscribe(register.CHANGED)
                    while not self._stopping.is_set():
                        self._audience = register.read(client)
                        _next_change(heard, LOOK)
            except Exception as error:  # mostly redis.RedisError; a thread that ends would leave browsers without data in silence
                log.warning("live_watchers_unknown", error=str(error))
                self._stopping.wait(LOOK)

    def _send_forever(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                self._send()
            except Exception as error:  # mostly redis.RedisError; see above
                metrics.LIVE_FAILURES.inc()
                log.warning("live_not_sent", error=str(error))
                self._stopping.wait(LOOK)
            # The first of a burst goes at once; whatever comes now waits for the next tick, or for a notice.
            self._stopping.wait(HURRY)
            self._hurry.wait(TICK - HURRY)

    def _send(self) -> None:
        with self._lock:
            readings, lost = self._readings.take()
            status, self._status = list(self._status.values()), {}
            frames, self._frames = list(self._frames), deque(maxlen=ROOM)
            self._hurry.clear()
            notices = [self._notices.popleft() for _ in range(len(self._notices))]
        metrics.LIVE_LOST.inc(lost)
        with valkey.client().pipeline(transaction=False) as pipe:
            for watcher, interest in self._audience.listening():
                if batch := _select(interest, readings, status, frames, notices):
                    pipe.publish(register.channel(watcher), wire.pack(*batch))
            recorder.record(pipe, frames)
            recorder.turn(pipe, [self._rings.popleft() for _ in range(len(self._rings))])
            if len(pipe):
                pipe.execute()
        metrics.LIVE_SENT.inc(len(readings))


Frames = list[tuple[int, dict[str, Any]]]


def _select(
    interest: register.Interest, readings: list[wire.Reading], status: list[wire.Status], frames: Frames, notices: list[wire.Notice]
) -> tuple[list[wire.Reading], list[wire.Status], Frames, list[wire.Notice]] | None:
    """What of a tick one watcher wants; None where that is nothing."""
    mine = (
        [reading for reading in readings if reading.device_id in interest.devices],
        [each for each in status if each.device_id in interest.devices or each.tenant_id in interest.tenants],
        [frame for frame in frames if frame[0] in interest.frames],
        [notice for notice in notices if notice.topic in interest.notices],
    )
    return mine if any(mine) else None


def _next_change(heard: "redis.client.PubSub", seconds: float) -> None:
    """Wait until a change is announced, at most this long; a burst of announcements counts as one."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if heard.get_message(timeout=left) is not None:
            while heard.get_message(timeout=0) is not None:
                pass
            return


@lru_cache(maxsize=1)
def publisher() -> Publisher:
    """The process's publisher, started when first asked for."""
    started = Publisher()
    started.start()
    atexit.register(started.stop)
    return started
