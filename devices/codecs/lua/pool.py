"""A few sandbox processes, shared by the threads of this process, that survive whatever a script does.

A task is one script and many frames. A frame that hangs or crashes its process becomes a `codec_timeout` or
`codec_error`; the frames behind it go on in a new process. Nothing here raises for what a script did.
"""

import os
import queue
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from devices.exceptions import Unavailable
from iotpanel import metrics

from .limits import IN_CHILD
from .quarantine import SENTENCE, STRIKES, Quarantine
from .wire import Child, ChildDied, Outcome

SIZE = 2
TASK_FRAMES = 512
WORTH_A_THREAD = 64  # frames: so many of a batch for each process, before they work beside each other
TASK_BYTES = 8 * 1024 * 1024
BARREN_STARTS = 3  # processes that die before their first frame: then the machine is at fault, not the script
QUARANTINED = Outcome(
    "codec_timeout", f"the script hung {STRIKES} times within a minute and is left out for {SENTENCE:.0f} seconds".encode()
)
HUNG = Outcome("codec_timeout", f"the script took more than {IN_CHILD['seconds'] * 1000:.0f} ms".encode())
CRASHED = Outcome("codec_error", b"the script crashed the sandbox")
CUT_OFF = Outcome("codec_timeout", b"the time of this request is used up")
Item = tuple[Any, ...]


class Pool:
    def __init__(self, size: int = SIZE) -> None:
        self.size = size
        self.quarantine = Quarantine()
        self._idle: queue.LifoQueue[Child | None] = queue.LifoQueue()
        for _ in range(size):
            self._idle.put(None)  # started when it is needed

    def run(self, kind: str, script: bytes, items: Sequence[Item]) -> list[Outcome]:
        """One outcome per item, in order. Raises Unavailable where no sandbox process can be started.

        Many frames are shared out among the processes, which work beside each other where the machine has room.
        """
        parts = list(_parts(items, self._share(len(items))))
        tasks = [_Task(self, kind, script, part) for part in parts]
        if len(tasks) < 2:
            return tasks[0].run() if tasks else []
        with ThreadPoolExecutor(self.size, "codec") as threads:
            return [outcome for outcomes in threads.map(_Task.run, tasks) for outcome in outcomes]

    def _share(self, count: int) -> int:
        """How many frames go to one process at once."""
        processes = min(self.size, count // WORTH_A_THREAD) or 1
        return min(TASK_FRAMES, -(-count // processes))

    def run_within(self, seconds: float, kind: str, script: bytes, items: Sequence[Item]) -> list[Outcome]:
        """The same for a person who waits: cut off after `seconds`, and never in quarantine."""
        return _Task(self, kind, script, items, deadline=time.monotonic() + seconds).run()

    @contextmanager
    def child(self) -> Iterator[Child]:
        """A process for one task; it goes back to the shelf unless it is dead."""
        child = self._idle.get()
        try:
            child = child or Child()
        except OSError as error:
            self._idle.put(None)
            raise Unavailable(f"no codec process can be started: {error}") from error
        try:
            yield child
        except BaseException:
            child.kill()  # it may be in the middle of something
            raise
        finally:
            if not child.usable:
                metrics.LUA_ENDED.inc()
            self._idle.put(child if child.usable else None)

    def close(self) -> None:
        """End the idle processes."""
        for _ in range(self._idle.qsize()):
            if child := self._idle.get_nowait():
                child.kill()
            self._idle.put(None)


class _Task:
    """One script's frames, through as many processes as it takes."""

    def __init__(self, pool: Pool, kind: str, script: bytes, items: Sequence[Item], deadline: float | None = None) -> None:
        self.pool, self.kind, self.script, self.items, self.deadline = pool, kind, script, items, deadline
        self.outcomes: dict[int, Outcome] = {}
        self.crashed_once: set[int] = set()
        self.barren = 0

    def run(self) -> list[Outcome]:
        while pending := [index for index in range(len(self.items)) if index not in self.outcomes]:
            if refusal := self._refusal():
                self.outcomes.update(dict.fromkeys(pending, refusal))
                break
            try:
                self._attempt(pending)
            except ChildDied as death:
                self._judge(death, pending)
        return [self.outcomes[index] for index in range(len(self.items))]

    def _refusal(self) -> Outcome | None:
        if self.deadline is not None:
            return CUT_OFF if time.monotonic() >= self.deadline else None
        return QUARANTINED if self.pool.quarantine.holds(self.script) else None

    def _attempt(self, pending: list[int]) -> None:
        """Run what is left; ends early, by killing the process, when the script goes into quarantine."""
        with self.pool.child() as child:
            for position, outcome in child.run(self.kind, self.script, [self.items[index] for index in pending], self.deadline):
                self.outcomes[pending[position]] = outcome
                self.barren = 0
                if outcome.word == "codec_timeout" and self._strike():
                    child.kill()
                    return

    def _strike(self) -> bool:
        if self.deadline is not None:
            return False
        self.pool.quarantine.strike(self.script)
        return self.pool.quarantine.holds(self.script)

    def _judge(self, death: ChildDied, pending: list[int]) -> None:
        """Blame the frame that the process worked on. One that was killed from outside gets a second chance."""
        if death.index is None:
            self.barren += 1
            if self.barren > BARREN_STARTS:
                raise Unavailable("codec processes end before they begin")
            return
        index = pending[min(death.index, len(pending) - 1)]
        if index in self.outcomes:
            return  # it was done, and its answer had arrived
        if death.hung:
            late = self.deadline is not None and time.monotonic() >= self.deadline
            self.outcomes[index] = CUT_OFF if late else HUNG
            self._strike()
        elif index in self.crashed_once:
            self.outcomes[index] = CRASHED
            self._strike()
        else:
            self.crashed_once.add(index)


def _parts(items: Sequence[Item], most: int) -> Iterator[Sequence[Item]]:
    """Slices of at most so many frames that fit one message. The first element of an item is its payload."""
    start, size = 0, 0
    for index, item in enumerate(items):
        size += len(item[0]) if item else 0
        if index > start and (index - start >= most or size > TASK_BYTES):
            yield items[start:index]
            start, size = index, len(item[0])
    if start < len(items):
        yield items[start:]


_shared = Pool()


def shared() -> Pool:
    """The pool of this process. It starts a sandbox process when the first script runs."""
    return _shared


def _after_fork() -> None:
    """A forked process must not write into its parent's pipes."""
    global _shared
    _shared = Pool()


os.register_at_fork(after_in_child=_after_fork)
