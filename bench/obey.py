"""Devices that obey: raw sockets, one thread; each command is acknowledged and answered at once.

Runs as a process of its own: a job as JSON on standard input, a line on standard output when all have subscribed.
"""

import json
import selectors
import socket
import struct
import sys
from typing import Any

from bench.load import connect_packet, length, text

SUBSCRIBE, PUBLISH = 0x82, 0x32
PINGREQ = b"\xc0\x00"
OK = b'{"status":"ok"}'
KEEPALIVE = 200.0  # seconds between two pings; the connection allows three times as much


class Obeying:
    """One device's connection."""

    def __init__(self, job: dict[str, Any], key: str) -> None:
        self.key = key
        self.rest = b""
        self.packet_id = 0
        self.sock = socket.create_connection(("127.0.0.1", job["port"]))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(connect_packet(key, job["secret"]))
        if self.sock.recv(4)[3:] != b"\0":
            raise SystemExit(f"{key} was not let in")
        body = struct.pack("!H", 1) + text(f"devices/{key}/down/#") + b"\x01"
        self.sock.sendall(bytes([SUBSCRIBE]) + length(len(body)) + body)
        self.sock.recv(5)
        self.sock.setblocking(False)

    def receive(self) -> None:
        data = self.rest + self.sock.recv(65_536)
        while (packet := first(data)) is not None:
            kind, body, data = packet
            if kind & 0xF0 == 0x30:
                self.obey(kind, body)
        self.rest = data

    def obey(self, kind: int, body: bytes) -> None:
        """Acknowledge, and answer: topic devices/{key}/down/commands/{id}."""
        size = struct.unpack_from("!H", body)[0]
        answer = b""
        if kind & 0x06:
            answer = b"\x40\x02" + body[2 + size : 4 + size]
        command = body[2 : 2 + size].rpartition(b"/")[2].decode()
        self.packet_id = self.packet_id % 65_535 + 1
        reply = text(f"devices/{self.key}/up/commands/{command}/reply") + struct.pack("!H", self.packet_id) + OK
        self.sock.sendall(answer + bytes([PUBLISH]) + length(len(reply)) + reply)


def first(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Kind and body of the first packet, and what is left; None where it is not whole yet."""
    size = shift = 0
    for place in range(1, min(len(data), 5)):
        size |= (data[place] & 127) << shift
        shift += 7
        if not data[place] & 128:
            end = place + 1 + size
            return (data[0], data[place + 1 : end], data[end:]) if len(data) >= end else None
    return None


def main() -> None:
    job = json.load(sys.stdin)
    selector = selectors.DefaultSelector()
    for key in job["keys"]:
        device = Obeying(job, key)
        selector.register(device.sock, selectors.EVENT_READ, device)
    print("ready", flush=True)
    while True:
        found = selector.select(KEEPALIVE)
        for each, _ in found:
            each.data.receive()
        if not found:
            for each in list(selector.get_map().values()):
                each.data.sock.sendall(PINGREQ)


if __name__ == "__main__":
    main()
