"""The parent's end of the pipe to one sandbox process.

The child is not trusted: what comes back is parsed as lengths and bytes, its sizes are bounded, and a child that
breaks the protocol is killed like one that hangs.
"""

import json
import marshal
import mmap
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from .limits import IN_CHILD, RESULT_BYTES

OUTCOME = struct.Struct("<II16sI")
PROGRESS = struct.Struct("<I")
NOT_STARTED = 0xFFFFFFFF
SILENCE_SECONDS = 60.0  # without any outcome: the child is stopped or starved, which its own timer cannot see
MAX_BODY = 4 * RESULT_BYTES
WORDS = {word.encode().ljust(16, b"\0"): word for word in ("ok", "codec_error", "codec_timeout", "codec_memory", "codec_result")}


class Outcome(NamedTuple):
    """What became of one frame: a word (`ok` or a dead-letter reason), JSON, bytes or a text, and what was printed."""

    word: str
    body: bytes
    log: bytes = b""


class ChildDied(Exception):
    """The process is gone. `index` is the frame it worked on, or None where it had not begun."""

    def __init__(self, index: int | None, *, hung: bool) -> None:
        super().__init__(index, hung)
        self.index = index
        self.hung = hung


class Child:
    """One sandbox process. Used by one thread at a time."""

    def __init__(self) -> None:
        shared = os.memfd_create("codec-progress")
        try:
            os.ftruncate(shared, PROGRESS.size)
            self.progress = mmap.mmap(shared, PROGRESS.size)
            self.process = _start(shared)
        finally:
            os.close(shared)
        assert self.process.stdin and self.process.stdout
        self.inlet, self.outlet = self.process.stdin, self.process.stdout
        os.set_blocking(self.inlet.fileno(), False)
        self.buffer = bytearray()
        self.usable = True

    def run(
        self, kind: str, script: bytes, items: Sequence[tuple[Any, ...]], deadline: float | None = None
    ) -> Iterator[tuple[int, Outcome]]:
        """The outcomes of a task in order, as they come; raises ChildDied, after which the child is of no use.

        `deadline` is an instant of `time.monotonic()` at which the task is cut off.
        """
        PROGRESS.pack_into(self.progress, 0, NOT_STARTED)
        task = marshal.dumps((kind, script, list(items)))
        try:
            self._send(PROGRESS.pack(len(task)) + task)
        except OSError:
            raise self._died(hung=False) from None
        for _ in items:
            yield self._receive(len(items), deadline)

    def kill(self) -> None:
        self.usable = False
        self.process.kill()
        self.process.wait()
        for pipe in (self.inlet, self.outlet):
            pipe.close()
        self.progress.close()

    def _send(self, task: bytes) -> None:
        rest = memoryview(task)
        while rest:
            if not _ready(self.inlet, select.POLLOUT, SILENCE_SECONDS):
                raise TimeoutError
            rest = rest[self.inlet.write(rest) or 0 :]

    def _receive(self, count: int, deadline: float | None) -> tuple[int, Outcome]:
        buffer = self.buffer
        if len(buffer) < OUTCOME.size:
            self._fill(OUTCOME.size, deadline)
        body_size, log_size, padded, index = OUTCOME.unpack_from(buffer)
        word = WORDS.get(padded)
        if body_size > MAX_BODY or log_size > MAX_BODY or word is None or index >= count:
            raise self._died(hung=False)
        end = OUTCOME.size + body_size
        if len(buffer) < end + log_size:
            self._fill(end + log_size, deadline)
        outcome = Outcome(word, bytes(buffer[OUTCOME.size : end]), bytes(buffer[end : end + log_size]) if log_size else b"")
        del buffer[: end + log_size]
        return index, outcome

    def _fill(self, size: int, deadline: float | None) -> None:
        """Read until the buffer holds `size` bytes."""
        while len(self.buffer) < size:
            patience = SILENCE_SECONDS if deadline is None else max(0.0, deadline - time.monotonic())
            if not _ready(self.outlet, select.POLLIN, patience):
                raise self._died(hung=True)
            chunk = os.read(self.outlet.fileno(), 256 * 1024)
            if not chunk:
                self.process.wait(timeout=SILENCE_SECONDS)  # it ended by itself; how tells whether it hung
                raise self._died(hung=False)
            self.buffer += chunk

    def _died(self, *, hung: bool) -> ChildDied:
        index = PROGRESS.unpack_from(self.progress)[0]
        self.kill()
        return ChildDied(None if index == NOT_STARTED else index, hung=hung or self.process.returncode == -signal.SIGPROF)


def _start(shared: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-I", str(Path(__file__).with_name("child.py")), str(shared), json.dumps(IN_CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"TZ": "UTC", "LC_ALL": "C.UTF-8"},
        pass_fds=[shared],
        start_new_session=True,  # Ctrl-C is the parent's business
        bufsize=0,
    )


def _ready(pipe: IO[bytes], event: int, seconds: float) -> bool:
    poll = select.poll()  # select() knows no descriptors above 1,023, and a web process has those
    poll.register(pipe, event)
    return bool(poll.poll(seconds * 1000))
