"""The devices of the connections bench: raw sockets in one process. One line of JSON in for each step, one out."""

import json
import selectors
import socket
import sys
import time
from typing import Any

from bench.load import connect_packet, length, text

CONNECTED, SUBSCRIBED = 0x20, 0x90
CALM = 0.02  # seconds between a refused connection and the next try


class Member:
    """One device. `state`: 0 away, 1 connecting, 2 waits for CONNACK, 3 waits for SUBACK, 4 there."""

    __slots__ = ("began", "hello", "key", "not_before", "rest", "sock", "state", "wants")

    def __init__(self, key: str, secret: str) -> None:
        self.key, self.hello = key, connect_packet(key, secret)
        topic = b"\0\1" + text(f"devices/{key}/down/#") + b"\1"
        self.wants = b"\x82" + length(len(topic)) + topic
        self.sock: socket.socket | None = None
        self.state, self.began, self.not_before, self.rest = 0, 0.0, 0.0, b""


class Crowd:
    def __init__(self, job: dict[str, Any]) -> None:
        self.address = ("127.0.0.1", job["port"])
        self.window = job["window"]
        self.members = [Member(key, job["secret"]) for key in job["keys"]]
        self.selector = selectors.EpollSelector()
        self.waits: list[float] = []
        self.there = self.under_way = 0

    def gather(self, seconds: float = 300) -> dict[str, Any]:
        """Bring everybody in; how long it took."""
        self.waits, started = [], time.monotonic()
        away = [member for member in self.members if member.state == 0]
        away.reverse()
        while self.there < len(self.members) and time.monotonic() - started < seconds:
            now = time.monotonic()
            while away and self.under_way < self.window and away[-1].not_before <= now:
                self.call(away.pop())
            away[:0] = self.listen(0.005)
        waits = sorted(self.waits) or [0.0]
        return {
            "seconds": time.monotonic() - started,
            "there": self.there,
            "p50_ms": round(waits[len(waits) // 2] * 1000, 1),
            "p99_ms": round(waits[int(len(waits) * 0.99)] * 1000, 1),
        }

    def stay(self, seconds: float) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.listen(0.1)
        return {"there": self.there}

    def return_from_restart(self) -> dict[str, Any]:
        """Everybody was thrown out; the clock runs from the moment at which somebody can get in again."""
        for _ in range(50):
            self.listen(0.02)
            if not self.there:
                break
        while True:
            try:
                socket.create_connection(self.address, 1).close()
                return self.gather()
            except OSError:
                time.sleep(0.01)

    def call(self, member: Member) -> None:
        member.sock, member.state, member.began, member.rest = socket.socket(), 1, time.monotonic(), b""
        member.sock.setblocking(False)
        member.sock.connect_ex(self.address)
        self.under_way += 1
        self.selector.register(member.sock, selectors.EVENT_WRITE, member)

    def listen(self, timeout: float) -> list[Member]:
        """Go on with whoever has something; those who were thrown out."""
        lost = []
        for key, events in self.selector.select(timeout):
            member: Member = key.data
            try:
                if member.state == 1 and events & selectors.EVENT_WRITE:
                    self.say_hello(member)
                else:
                    self.hear(member)
            except OSError:
                self.drop(member)
                lost.append(member)
        return lost

    def say_hello(self, member: Member) -> None:
        assert member.sock is not None
        if error := member.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error)
        member.sock.send(member.hello)
        member.state = 2
        self.selector.modify(member.sock, selectors.EVENT_READ, member)

    def hear(self, member: Member) -> None:
        assert member.sock is not None
        data = member.sock.recv(4096)
        if not data:
            raise OSError("thrown out")
        member.rest += data
        if member.state == 2 and len(member.rest) >= 4:
            if member.rest[0] != CONNECTED or member.rest[3]:
                raise OSError("not let in")
            member.rest, member.state = member.rest[4:], 3
            member.sock.send(member.wants)
        elif member.state == 3 and len(member.rest) >= 5 and member.rest[0] == SUBSCRIBED:
            member.rest, member.state = b"", 4
            self.waits.append(time.monotonic() - member.began)
            self.there += 1
            self.under_way -= 1

    def drop(self, member: Member) -> None:
        assert member.sock is not None
        self.selector.unregister(member.sock)
        member.sock.close()
        if member.state == 4:
            self.there -= 1
        else:
            self.under_way -= 1
        member.state, member.not_before = 0, time.monotonic() + CALM


def main() -> None:
    crowd = Crowd(json.loads(sys.stdin.readline()))
    print(json.dumps(crowd.gather()), flush=True)
    print(json.dumps(crowd.stay(json.loads(sys.stdin.readline())["stay"])), flush=True)
    sys.stdin.readline()
    print(json.dumps(crowd.return_from_restart()), flush=True)


if __name__ == "__main__":
    main()
