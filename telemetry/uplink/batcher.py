"""From single messages to batches: natural batching, back-pressure, ack after commit, retry in place.

A batch is what waits when the last one is done, so an idle system commits one message within milliseconds and a busy
one thousands at once. The queue is bounded; when it is full, `put` blocks, which is the back-pressure.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from devices.connectors.base import Delivery
from devices.exceptions import Unavailable
from devices.messages import Uplink

BATCH_MESSAGES = 2_000
BATCH_BYTES = 16_000_000
QUEUE_MESSAGES = 100_000  # above the broker's window of messages in flight, so that bytes are what blocks
QUEUE_BYTES = 128_000_000
OVERHEAD = 300  # bytes that a waiting message takes beside its payload
RETRY_FIRST, RETRY_LAST = 0.1, 5.0  # seconds
log = structlog.get_logger(__name__)

Item = tuple[Uplink, Delivery | None]


def _fault(error: Exception) -> Exception | None:
    """A fault of ours is shown with its traceback; a database that is down is not worth one."""
    return None if isinstance(error, Unavailable) else error


class Batcher:
    """One thread that hands batches to `process` and acknowledges what is committed."""

    def __init__(self, process: Callable[[Sequence[Uplink]], Any]) -> None:
        self._process = process
        self._queue: deque[Item] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._give_up_at = float("inf")
        self._thread = threading.Thread(target=self._run, name="uplink-batcher", daemon=True)
        self.batches = self.messages = self.retries = self.stale = self.abandoned = 0
        self.last_error = ""

    def start(self) -> None:
        self._thread.start()

    def put(self, uplink: Uplink, ack: Delivery | None) -> None:
        """Queue a message; blocks while the queue is full."""
        size = len(uplink.payload) + OVERHEAD
        with self._changed:
            while (len(self._queue) >= QUEUE_MESSAGES or self._bytes >= QUEUE_BYTES) and not self._stopping:
                self._changed.wait()
            self._queue.append((uplink, ack))
            self._bytes += size
            if len(self._queue) == 1:
                self._changed.notify_all()

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
            "queued": len(self._queue),
            "queued_bytes": self._bytes,
            "batches": self.batches,
            "messages": self.messages,
            "retries": self.retries,
            "stale": self.stale,
            "last_error": self.last_error,
        }

    def _run(self) -> None:
        while (batch := self._take()) is not None:
            if batch and not self._accept([uplink for uplink, _ in batch]):
                self.abandoned = len(batch)  # not acknowledged, so it comes again
                return
            for _, ack in batch:
                if ack is not None:
                    ack()

    def _take(self) -> list[Item] | None:
        """What waits, up to a batch; None at the end. What will come again on a new connection is left to it."""
        with self._changed:
            while not self._queue:
                if self._stopping:
                    return None
                self._changed.wait()
            batch: list[Item] = []
            size = 0
            while self._queue and len(batch) < BATCH_MESSAGES and size < BATCH_BYTES:
                item = self._queue.popleft()
                weight = len(item[0].payload) + OVERHEAD
                self._bytes -= weight
                if item[1] is not None and item[1].stale:
                    self.stale += 1
                    continue
                size += weight
                batch.append(item)
            self._changed.notify_all()
            return batch

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
