"""The load generator: raw sockets, packets encoded beforehand, one thread, no mercy.

Runs as a process of its own: `python -m bench.load` with a job as JSON on standard input, one line of JSON on
standard output at the end. Each device has its own connection. Readings carry a time of their own, the moment of
sending, so that nothing can be taken for a duplicate and the way to the commit can be measured from it.
"""

import json
import os
import selectors
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from typing import Any

CONNECT, PUBLISH, DISCONNECT = 0x10, 0x30, b"\xe0\x00"
TICK = 0.002  # seconds
WARM_UP = 2.0  # seconds
PACKET = b'%b%b%b{"ts":%d,"values":%b'
BARE = len(b'{"ts":,"values":') + 16  # a time of 16 digits: so it will be until the year 2286
IDS = [struct.pack("!H", number) for number in range(1, 65_536)]


@dataclass
class Device:
    """One connection; `packets` are a few messages with everything but their time, number and order.

    `at` is the last time in µs that it used.
    """

    sock: socket.socket
    packets: list[tuple[bytes, bytes, bytes]]
    at: int = 0
    sent: int = 0
    rest: bytes = b""
    backlog: bytearray = field(default_factory=bytearray)


def length(size: int) -> bytes:
    """MQTT's variable length (MQTT 3.1.1, section 2.2.3)."""
    encoded = bytearray()
    while True:
        size, digit = divmod(size, 128)
        encoded.append(digit | (128 if size else 0))
        if not size:
            return bytes(encoded)


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("!H", len(data)) + data


def connect_packet(key: str, secret: str) -> bytes:
    body = text("MQTT") + b"\x04\xc2" + struct.pack("!H", 600) + text(key) + text(key) + text(secret)
    return bytes([CONNECT]) + length(len(body)) + body


def open_device(job: dict[str, Any], key: str) -> Device:
    sock = socket.create_connection((job["host"], job["port"]))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(connect_packet(key, job["secret"]))
    answer = sock.recv(4)
    if answer[3:] != b"\0":
        raise SystemExit(f"{key} was not let in: {answer!r}")
    sock.setblocking(False)
    return Device(sock, [encoded(job, key, number) for number in range(4)])


def encoded(job: dict[str, Any], key: str, number: int) -> tuple[bytes, bytes, bytes]:
    """The header with its length, the topic, and the end of a message."""
    values = {name: round(20 + number + place / 8, 3) for place, name in enumerate(job["properties"])}
    topic, end = text(f"devices/{key}/up/telemetry"), json.dumps(values).encode() + b"}"
    size = len(topic) + (2 if job["qos"] else 0) + BARE + len(end)
    return bytes([PUBLISH | job["qos"] << 1]) + length(size), topic, end


def publish(device: Device, qos: int) -> bytes:
    """The next packet of a device, stamped with now."""
    now = time.time_ns() // 1000
    device.at = now if now > device.at else device.at + 1
    device.sent += 1
    head, topic, end = device.packets[device.sent & 3]
    return PACKET % (head, topic, IDS[device.sent % 65_535] if qos else b"", device.at, end)


class Load:
    """Sends at a rate (messages/s over all devices), or as fast as the broker takes it where that is 0."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.devices = [open_device(job, key) for key in job["keys"]]
        self.selector = selectors.DefaultSelector()
        for device in self.devices:
            self.selector.register(device.sock, selectors.EVENT_READ, device)
        self.acked = 0

    def begin(self) -> int:
        """Each device says one message, then all are quiet for a while: what is measured is a fleet that is there. How many there were."""
        for device in self.devices:
            self.send(device, publish(device, self.job["qos"]))
            self.receive(WARM_UP / len(self.devices))
        rested = time.monotonic() + WARM_UP
        while (left := rested - time.monotonic()) > 0:
            self.receive(left)
        return len(self.devices)

    def run(self) -> dict[str, Any]:
        before = self.begin() if self.job.get("begin") else 0
        began = time.time_ns() // 1000
        seconds, rate, limit = self.job["seconds"], self.job["rate"], self.job.get("messages") or float("inf")
        started = time.monotonic()
        sent = turn = 0
        while (elapsed := time.monotonic() - started) < seconds and sent < limit:
            wanted = min(int(rate * elapsed) if rate else sent + 256, limit)
            while sent < wanted:
                device = self.devices[turn % len(self.devices)]
                turn += 1
                burst = b"".join(publish(device, self.job["qos"]) for _ in range(self.job["burst"]))
                sent += self.job["burst"]
                self.send(device, burst)
            self.receive(0 if sent < wanted else TICK)
        over = time.monotonic() - started
        self.finish(before + sent)
        return {"sent": sent, "before": before, "began": began, "acked": self.acked, "seconds": over}

    def send(self, device: Device, data: bytes) -> None:
        device.backlog += data
        self.flush(device)
        while len(device.backlog) > 65_536:  # the broker's pace
            self.receive(0.001)
            self.flush(device)

    def flush(self, device: Device) -> None:
        try:
            while device.backlog:
                done = device.sock.send(device.backlog)
                del device.backlog[:done]
        except BlockingIOError:
            pass

    def receive(self, timeout: float) -> None:
        for key, _ in self.selector.select(timeout):
            device: Device = key.data
            try:
                data = device.rest + device.sock.recv(65_536)
            except BlockingIOError:
                continue
            packets, left = divmod(len(data), 4)  # PUBACK is all that comes, four bytes each
            device.rest = data[len(data) - left :] if left else b""
            self.acked += packets

    def finish(self, sent: int) -> None:
        """Wait for what is under way, a minute at most."""
        until = time.monotonic() + 60
        while time.monotonic() < until and (any(device.backlog for device in self.devices) or (self.job["qos"] and self.acked < sent)):
            for device in self.devices:
                self.flush(device)
            self.receive(0.01)
        for device in self.devices:
            device.sock.setblocking(True)
            device.sock.sendall(DISCONNECT)
            device.sock.close()


def main() -> None:
    job = json.load(sys.stdin)
    load = Load(job)
    print("ready", flush=True)
    if job.get("wait"):
        os.read(int(job["wait"]), 1)
    print(json.dumps(load.run()), flush=True)


if __name__ == "__main__":
    main()
