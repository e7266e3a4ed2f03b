"""Sends what the fleet measures, until it is told to stop."""

import heapq
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .fleet_file import Entry, read, write
from .kinds import KINDS
from .link import Link, taken

DAY = 86_400.0
HISTORY_STEP = 60.0
HISTORY_CHUNK = 240
PATIENCE = 30.0


class Runner:
    """The fleet of one file. `interval` is the seconds between the messages of its quickest devices."""

    def __init__(self, path: Path, host: str, port: int, interval: float) -> None:
        self.path, self.host, self.port, self.interval = path, host, port, interval
        self.fleet = read(path)
        self.links = {key: _link(key, entry) for key, entry in self.fleet.items()}
        self.stopped = threading.Event()

    def start(self) -> None:
        for link in self.links.values():
            link.start(self.host, self.port)

    def run(self) -> None:
        """Each device in its own rhythm, spread over the interval so that they don't all speak at once."""
        now = time.monotonic()
        spread = self.interval / max(1, len(self.links))
        due = [(now + index * spread, key) for index, key in enumerate(self.links)]
        heapq.heapify(due)
        while due and not self.stopped.wait(max(0.0, due[0][0] - time.monotonic())):
            at, key = due[0]
            link = self.links[key]
            link.send(link.device.messages(time.time()))
            heapq.heapreplace(due, (max(at, time.monotonic() - self.interval) + self.interval * link.device.every, key))

    def once(self) -> list[str]:
        """One round of messages; returns the devices whose messages the broker did not take in time."""
        limit = time.monotonic() + PATIENCE
        ready = [key for key, link in self.links.items() if self._wait(link.is_connected, limit)]
        sent = {key: self.links[key].send(self.links[key].device.messages(time.time())) for key in ready}
        return [key for key in self.links if key not in sent or not self._wait(lambda key=key: taken(sent[key]), limit)]  # type: ignore[misc]

    def send_history(self) -> None:
        """The last day of every device that has none yet, a minute apart; remembered when the broker has taken it.

        The instants lie on whole minutes, so what is sent again after a failure changes nothing.
        """
        end = time.time() // HISTORY_STEP * HISTORY_STEP
        steps = [end - DAY + HISTORY_STEP * index for index in range(round(DAY / HISTORY_STEP))]
        for key, entry in self.fleet.items():
            if not entry.get("history") and self._send_past(self.links[key], steps):
                entry["history"] = True
                write(self.path, self.fleet)

    def _send_past(self, link: Link, steps: list[float]) -> bool:
        if not self._wait(link.is_connected, time.monotonic() + PATIENCE):
            return False
        for start in range(0, len(steps), HISTORY_CHUNK):
            infos = link.send(link.device.history(steps[start : start + HISTORY_CHUNK]))
            if not self._wait(lambda infos=infos: taken(infos), time.monotonic() + PATIENCE):  # type: ignore[misc]
                return False
        return True

    def _wait(self, ready: Callable[[], bool], limit: float) -> bool:
        """Whether it became true before `limit` (monotonic seconds) and before the fleet was stopped."""
        while not ready():
            if time.monotonic() > limit or self.stopped.wait(0.02):
                return False
        return True

    def stop(self) -> None:
        self.stopped.set()
        for link in self.links.values():
            link.stop()


def _link(key: str, entry: Entry) -> Link:
    return Link(KINDS[entry["kind"]](key, entry["number"]), entry["secret"])
