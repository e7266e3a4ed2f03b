"""The process that runs codec scripts, and that may be killed at any moment.

It is started by path in Python's isolated mode with an empty environment, so it holds no secret and imports
nothing of the project: its limits come as an argument. It reads tasks from standard input and writes outcomes to
standard output (`wire.py` is the other end). Before each frame it notes the frame's number in shared memory and
arms a timer of CPU time whose signal ends the process: that is how a hang in C code costs its own frame only.
"""

import json
import marshal
import mmap
import os
import resource
import signal
import struct
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from lupa.lua54 import LuaError, LuaMemoryError, LuaRuntime

PRELUDE = {path.stem: path.read_bytes() for path in (Path(__file__).parent / "prelude").glob("*.lua")}
OUTCOME = struct.Struct("<II16sI")  # length of the body, length of the log, a word, the frame's number
PROGRESS = struct.Struct("<I")
FLUSH_EVERY = 32
FLUSH_BYTES = 64 * 1024
FLUSH_SECONDS = 0.5
RUNTIMES = 16
NOBODY = 65534
Answer = tuple[bytes, bytes, bytes | None]


def deny(*_: object) -> Any:
    raise AttributeError("not for scripts")


class Sandbox:
    """One script in a Lua state of its own."""

    def __init__(self, script: bytes, limits: dict[str, float]) -> None:
        self.lua = LuaRuntime(
            encoding=None,
            register_eval=False,
            register_builtins=False,
            unpack_returned_tuples=True,
            attribute_filter=deny,
            max_memory=int(limits["memory"]),
        )
        room = self._room(limits)
        room[b"load"](script)
        self.work: dict[str, Callable[..., Any]] = {kind: room[kind.encode()] for kind in ("decode", "encode", "check")}
        self.spent = bytes(room[b"SPENT"])

    def _room(self, limits: dict[str, float]) -> Any:
        modules = {name: self.lua.compile(source, name=name.encode()) for name, source in PRELUDE.items()}
        loader = self.lua.eval(
            b"function(json, binary, bit) local m = {json = json, binary = binary, bit = bit}"
            b" return function(name, ...) return m[name](...) end end"
        )
        load_module = loader(modules["json"], modules["binary"], modules["bit"])
        return modules["sandbox"](load_module, self.lua.table_from({name.encode(): value for name, value in limits.items()}))

    def run(self, kind: str, arguments: Sequence[Any]) -> tuple[Answer, bool]:
        """The outcome of one frame, and whether this Lua state can be used again."""
        try:
            answer = self.work[kind](*arguments)
        except LuaMemoryError:
            return (b"codec_memory", b"the script needs more than its memory", None), False
        except LuaError as error:
            if self.spent.decode() in str(error):  # the budget ended outside of the sandbox's own pcall
                return (b"codec_timeout", b"the script took more than its time to end", None), False
            return (b"codec_error", str(error).encode()[:500], None), False
        word, body = answer[0], answer[1]
        log = answer[2] if len(answer) > 2 else None
        return (word, body, log), word in (b"ok", b"codec_error", b"codec_result")


class Child:
    def __init__(self, source: BinaryIO, sink: BinaryIO, progress: mmap.mmap, limits: dict[str, float]) -> None:
        self.source, self.sink, self.progress, self.limits = source, sink, progress, limits
        self.sandboxes: OrderedDict[bytes, Sandbox] = OrderedDict()
        self.buffer = bytearray()
        self.flushed_at = 0.0

    def serve(self) -> None:
        """Tasks until the parent closes the pipe."""
        while len(head := self.source.read(4)) == 4:
            size = PROGRESS.unpack(head)[0]
            if len(task := self.source.read(size)) < size:
                return  # the parent died in the middle of it
            kind, script, items = marshal.loads(task)  # noqa: S302 - it comes from our own parent
            for index, arguments in enumerate(items):
                PROGRESS.pack_into(self.progress, 0, index)
                signal.setitimer(signal.ITIMER_PROF, self.limits["kill_seconds"])
                self._answer(index, kind, script, arguments)
            signal.setitimer(signal.ITIMER_PROF, 0)
            self._flush()

    def _answer(self, index: int, kind: str, script: bytes, arguments: Sequence[Any]) -> None:
        word, body, log = self._run(kind, script, arguments)
        log = log or b""
        self.buffer += OUTCOME.pack(len(body), len(log), word, index) + body + log
        due = time.monotonic() - self.flushed_at > FLUSH_SECONDS
        if due or word == b"codec_timeout" or index % FLUSH_EVERY == FLUSH_EVERY - 1 or len(self.buffer) > FLUSH_BYTES:
            self._flush()

    def _run(self, kind: str, script: bytes, arguments: Sequence[Any]) -> Answer:
        try:
            answer, usable = self._sandbox(script).run(kind, arguments)
        except LuaError as error:  # the script is more than its memory can hold even before it runs
            return b"codec_memory", str(error).encode()[:500], None
        if not usable:
            del self.sandboxes[script]
        return answer

    def _sandbox(self, script: bytes) -> Sandbox:
        found = self.sandboxes.get(script)
        if found is None:
            found = self.sandboxes[script] = Sandbox(script, self.limits)
            if len(self.sandboxes) > RUNTIMES:
                self.sandboxes.popitem(last=False)
        self.sandboxes.move_to_end(script)
        return found

    def _flush(self) -> None:
        self.sink.write(self.buffer)
        self.sink.flush()
        self.buffer.clear()
        self.flushed_at = time.monotonic()


def confine() -> None:
    """Give up what a codec never needs. What the machine does not allow to give up leaves the rest given up."""
    for name, value in {"CORE": 0, "FSIZE": 0, "NOFILE": 16, "AS": 1 << 30, "NPROC": 0}.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
    if os.geteuid() == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        except PermissionError:
            pass  # root of a container that may not change its user: the container confines us


def main() -> None:
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    progress = mmap.mmap(int(sys.argv[1]), PROGRESS.size)
    child = Child(sys.stdin.buffer, sys.stdout.buffer, progress, json.loads(sys.argv[2]))
    confine()
    child.serve()


if __name__ == "__main__":
    main()
