"""From single messages to batches: natural batching, back-pressure, ack after commit, retry in place.

A batch is what waits when the last one is done, so an idle system commits one message within milliseconds and a busy
one thousands at once. The queue is bounded; when it is full, `put` blocks, which is the back-pressure. What came
together under one ack is a parcel, and stays together.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import structlog

from devices.connectors.base import Delivery
from devices.exceptions import Unavailable
from devices.messages import Uplink

BATCH_MESSAGES = 8_000  # more of one device in a batch cost one write of its latest values; a parcel more at most
BATCH_BYTES = 16_000_000
QUEUE_MESSAGES = 100_000  # above the broker's window of messages in flight, so that bytes are what blocks
QUEUE_BYTES = 128_000_000
BREATH = 0.005  # seconds
OVERHEAD = 300  # bytes that a waiting message takes beside its payload
RETRY_FIRST, RETRY_LAST = 0.1, 5.0  # seconds
log = structlog.get_logger(__name__)


class Parcel(NamedTuple):
    """Messages that came together; `size` is what they take in memory, in bytes."""

    uplinks: Sequence[Uplink]
    ack: Delivery | None
    size: int


def _fault(error: Exception) -> Exception | None:
    """A fault of ours is shown with its traceback; a database that is down is not worth one."""
    return None if isinstance(error, Unavailable) else error


class Batcher:
    """One thread that hands batches to `process` and acknowledges what is committed."""

    def __init__(self, process: Callable[[Sequence[Uplink]], Any]) -> None:
        self._process = process
        self._queue: deque[Parcel] = deque()
        self._messages = self._bytes = 0  # in the queue
        self._changed = threading.Condition()
        self._stopping = self._working = False
        self._give_up_at = float("inf")
        self._thread = threading.Thread(target=self._run, name="uplink-batcher", daemon=True)
        self.batches = self.messages = self.retries = self.stale = self.abandoned = 0
        self.last_error = ""

    def start(self) -> None:
        self._thread.start()

    def put(self, uplinks: Sequence[Uplink], ack: Delivery | None) -> None:
        """Queue messages that came together; blocks while the queue is full, and for a breath while a batch is in work.

        What comes meanwhile is for the next batch anyway. Whoever reads from a socket then reads much at once a few times
        instead of little many times, and leaves the processor to the batch.
        """
        size = sum([len(uplink.payload) for uplink in uplinks]) + OVERHEAD * len(uplinks)
        with self._changed:
            while (self._messages >= QUEUE_MESSAGES or self._bytes >= QUEUE_BYTES) and not self._stopping:
                self._changed.wait()
            self._queue.append(Parcel(uplinks, ack, size))
            self._messages += len(uplinks)
            self._bytes += size
            if len(self._queue) == 1:
                self._changed.notify_all()
            working = self._working
        if working:
            time.sleep(BREATH)

    def stop(self, seconds: float = 8.0) -> bool:
        """Process what is queued, for at most this long; returns whether all of it was."""
        with self._changed:
            self._stopping = True
            self._give_up_at = time.monotonic() + seconds
            self._changed.notify_all()
        self._thread.join(seconds + 1)
        return not (self._queue or self.abandoned or self._thread.is_alive())

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def figures(self) -> dict[str, Any]:
        """What `inspect` and the metrics show."""
        return {
            "queued": self._messages,
            "queued_bytes": self._bytes,
            "batches": self.batches,
            "messages": self.messages,
            "retries": self.retries,
            "stale": self.stale,
            "last_error": self.last_error,
        }

    def _run(self) -> None:
        while (parcels := self._take()) is not None:
            batch = [uplink for parcel in parcels for uplink in parcel.uplinks]
            if batch and not self._accept(batch):
                self.abandoned = len(batch)  # not acknowledged, so it comes again
                return
            for parcel in parcels:
                if parcel.ack is not None:
                    parcel.ack()

    def _take(self) -> list[Parcel] | None:
        """What waits, up to a batch; None at the end. What will come again on a new connection is left to it."""
        with self._changed:
            self._working = False
            while not self._queue:
                if self._stopping:
                    return None
                self._changed.wait()
            self._working = True
            parcels: list[Parcel] = []
            messages = size = 0
            while self._queue and messages < BATCH_MESSAGES and size < BATCH_BYTES:
                parcel = self._queue.popleft()
                self._messages -= len(parcel.uplinks)
                self._bytes -= parcel.size
                if parcel.ack is not None and parcel.ack.stale:
                    self.stale += len(parcel.uplinks)
                    continue
                messages += len(parcel.uplinks)
                size += parcel.size
                parcels.append(parcel)
            self._changed.notify_all()
            return parcels

    def _accept(self, batch: Sequence[Uplink]) -> bool:
        """Process a batch, as often as it takes; False where we were told to stop before the database came back."""
        delay = RETRY_FIRST
        while True:
            try:
                self._process(batch)
            except Exception as error:
                self.retries += 1
                self.last_error = str(error)[:300]
                log.warning("uplink_waits", messages=len(batch), error=self.last_error, seconds=delay, exc_info=_fault(error))
                if not self._pause(delay):
                    return False
                delay = min(delay * 2, RETRY_LAST)
            else:
                self.batches += 1
                self.messages += len(batch)
                self.last_error = ""
                return True

    def _pause(self, seconds: float) -> bool:
        """Wait; False where the time to stop is over."""
        end = min(time.monotonic() + seconds, self._give_up_at)
        with self._changed:
            while (left := min(end, self._give_up_at) - time.monotonic()) > 0:
                self._changed.wait(left)
        return time.monotonic() < self._give_up_at
