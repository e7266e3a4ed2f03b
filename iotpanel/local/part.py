"""One supervised process: how it starts, how one sees that it works, how it is stopped."""

import ctypes
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from iotpanel.local.account import ONESELF, Account, enter_namespace
from iotpanel.local.say import NOTIFY_SOCKET

PR_SET_PDEATHSIG = 1
OPEN_FILES = 65536
"""Enough for ten thousand devices; the system's hard limit holds where it is lower."""

libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Part:
    """A process of the stack.

    ``ready`` tells whether it serves. ``stop_signal`` asks it to end within ``patience`` seconds; ``orphan_signal`` is
    what the kernel sends it when the supervisor is killed.
    """

    name: str
    argv: tuple[str, ...]
    ready: Callable[[], bool] = lambda: True
    env: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    patience: float = 30.0
    account: Account = ONESELF


def spawn(part: Part, log: Path) -> subprocess.Popen[bytes]:
    """Start the part in a session of its own, its output appended to ``log``."""
    supervisor = os.getpid()
    with log.open("ab") as output:
        return subprocess.Popen(
            part.argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(part),
            start_new_session=True,
            user=part.account.uid,
            group=part.account.gid,
            extra_groups=[] if part.account.uid is not None else None,
            preexec_fn=lambda: prepare(part, supervisor),
        )


def environment(part: Part) -> dict[str, str]:
    """What the part finds set: all that we do, but for systemd's ear."""
    return {name: value for name, value in os.environ.items() if name != NOTIFY_SOCKET} | dict(part.env)


def prepare(part: Part, supervisor: int) -> None:
    """Runs in the child. The order matters: dropping privileges would clear the death signal."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limit = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    if part.account.namespace:
        enter_namespace()
    libc.prctl(PR_SET_PDEATHSIG, int(part.orphan_signal))
    if os.getppid() != supervisor:
        os._exit(1)


def await_end(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for a process that was asked to stop; what is left of its session is killed. False where it had to be killed."""
    try:
        process.wait(seconds)
        willing = True
    except subprocess.TimeoutExpired:
        willing = False
    kill_session(process.pid)
    process.wait()
    return willing


def kill_session(leader: int) -> None:
    """Kill every process that is left in the session of ``leader``; sessions without members are none."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass
