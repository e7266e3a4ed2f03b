"""Servers of other makers as processes: started on a free port below a folder of their own, stopped as their users stop them."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from iotpanel.local.part import Part, await_end, spawn
from iotpanel.local.ports import accepts


def tree() -> Path:
    """Where the unpacked programs lie; raises KeyError where the suite was not started by `make test-forwarders`."""
    return Path(os.environ["IOTPANEL_COUNTERPARTS"])


def libraries() -> dict[str, str]:
    return {"LD_LIBRARY_PATH": os.environ["IOTPANEL_COUNTERPARTS_LIBRARIES"]}


def program(*patterns: str) -> Path:
    """An unpacked program, or the machine's own."""
    for pattern in patterns:
        if found := sorted(tree().glob(pattern)):
            return found[-1]
        if installed := shutil.which(Path(pattern).name):
            return Path(installed)
    raise FileNotFoundError(f"no {patterns} below {tree()}")


class Process:
    """One server. `ready` says whether it serves."""

    def __init__(
        self, name: str, home: Path, argv: tuple[str, ...], ready: Callable[[], bool], env: Mapping[str, str] | None = None
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.log = home / f"{name}.log"
        self.part = Part(name, argv, ready, {**(env or {}), "HOME": str(home)})
        self.running: subprocess.Popen[bytes] | None = None

    def start(self, seconds: float = 240) -> None:
        self.launch()
        self.await_ready(seconds)

    def launch(self) -> None:
        self.running = spawn(self.part, self.log)

    def await_ready(self, seconds: float = 240) -> None:
        assert self.running is not None
        until = time.monotonic() + seconds
        while not self.part.ready():
            if self.running.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"{self.part.name} does not serve:\n{self.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        if self.running is not None:
            self.running.send_signal(signal.SIGTERM)
            await_end(self.running, 30)
            self.running = None

    def kill(self) -> None:
        """When nobody needs it any more."""
        if self.running is not None:
            await_end(self.running, 0)
            self.running = None


def listens(port: int) -> Callable[[], bool]:
    return lambda: accepts(port)
