"""Devices that come back: as in bench.obey, but they connect again when the broker dies, say `online`, and take updates too.

Runs as a process of its own: a job as JSON on standard input, a line on standard output when all have subscribed.
"""

import heapq
import json
import selectors
import struct
import sys
import time
from typing import Any

from bench.load import length, text
from bench.obey import PINGREQ, PUBLISH, Obeying

KEEPALIVE = 200.0  # seconds between two pings; the connection allows three times as much
AGAIN = 1.0  # seconds before another try to connect


class Steadfast(Obeying):
    """Raises ConnectionError where the broker is gone."""

    def __init__(self, job: dict[str, Any], key: str) -> None:
        super().__init__(job, key)
        self.say("status", b"online")

    def receive(self) -> None:
        before = self.rest
        super().receive()
        if self.rest == before and not self._alive():
            raise ConnectionError

    def _alive(self) -> bool:
        """Nothing came although there was something to read: it was the end."""
        try:
            return bool(self.sock.recv(1, 2))  # MSG_PEEK
        except BlockingIOError:
            return True

    def obey(self, kind: int, body: bytes) -> None:
        size = struct.unpack_from("!H", body)[0]
        if not body[2 : 2 + size].endswith(b"/ota"):
            return super().obey(kind, body)
        if kind & 0x06:
            self.sock.sendall(b"\x40\x02" + body[2 + size : 4 + size])
        offer = json.loads(body[2 + size + (2 if kind & 0x06 else 0) :])
        return self.say("ota", json.dumps({"version": offer["version"], "state": "succeeded"}).encode())

    def say(self, kind: str, payload: bytes) -> None:
        self.packet_id = self.packet_id % 65_535 + 1
        message = text(f"devices/{self.key}/up/{kind}") + struct.pack("!H", self.packet_id) + payload
        self.sock.sendall(bytes([PUBLISH]) + length(len(message)) + message)


class Crowd:
    """All of them, on one selector."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.selector = selectors.DefaultSelector()
        self.away: list[tuple[float, str]] = [(0.0, key) for key in job["keys"]]
        self.pinged_at = time.monotonic()

    def turn(self) -> None:
        self.connect()
        for each, _ in self.selector.select(0.2):
            device: Steadfast = each.data
            try:
                device.receive()
            except OSError:
                self.selector.unregister(device.sock)
                device.sock.close()
                heapq.heappush(self.away, (time.monotonic() + AGAIN, device.key))
        self.ping()

    def connect(self) -> None:
        while self.away and self.away[0][0] <= time.monotonic():
            _at, key = heapq.heappop(self.away)
            try:
                device = Steadfast(self.job, key)
                self.selector.register(device.sock, selectors.EVENT_READ, device)
            except (OSError, SystemExit):
                heapq.heappush(self.away, (time.monotonic() + AGAIN, key))
                return

    def ping(self) -> None:
        if time.monotonic() - self.pinged_at > KEEPALIVE:
            self.pinged_at = time.monotonic()
            for each in list(self.selector.get_map().values()):
                each.data.sock.sendall(PINGREQ)


def main() -> None:
    crowd = Crowd(json.load(sys.stdin))
    while crowd.away:
        crowd.turn()
    print("ready", flush=True)
    while True:
        crowd.turn()


if __name__ == "__main__":
    main()
