"""The servers of a run: all start in the background, so that one starts while another one is tested."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from .kinds import SERVERS, Real
from .process import Process

AT_A_TIME = 2


class Running:
    """Servers by kind. The threads that start them live as long as they: a server ends with the thread that it came from."""

    def __init__(self, home: Path, kinds: Iterable[str]) -> None:
        self.pool = ThreadPoolExecutor(AT_A_TIME)
        self.started: dict[str, Future[Real]] = {kind: self.pool.submit(started, kind, home / kind) for kind in kinds}

    def __getitem__(self, kind: str) -> Real:
        """Waits until it serves."""
        return self.started[kind].result()

    def over(self, kind: str) -> None:
        """Nobody needs it any more, nor its data: it is killed."""
        if (start := self.started[kind]).cancel() or start.exception():
            return
        for each in vars(start.result()).values():
            if isinstance(each, Process):
                each.kill()

    def stop(self) -> None:
        for kind in self.started:
            self.over(kind)
        self.pool.shutdown()


def started(kind: str, home: Path) -> Real:
    server = SERVERS[kind](home)
    server.start()
    return server
