"""RocketMQ's remoting protocol, as far as a producer needs it: a length, a JSON header, a body.

Each address that the name server gives is judged like the one in the settings.
"""

import base64
import hashlib
import hmac
import itertools
import json
import re
import socket
import struct
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from rules.outside.errors import Down
from rules.outside.sockets import connect

ROUTE, SEND = 105, 10
OK, TOPIC_UNKNOWN = 0, 17
LARGEST = 16_000_000
_numbers = itertools.count(1)
_BARE_KEYS = re.compile(rb"([{,])(\d+):")  # what older servers call JSON


class Answer(NamedTuple):
    code: int
    remark: str
    body: bytes


class Peer:
    """A connection to a name server or a broker."""

    def __init__(self, place: str, keys: tuple[str, str] | None) -> None:
        host, _colon, port = place.rpartition(":")
        self.keys = keys
        self.socket: socket.socket = connect(host.strip("[]"), int(port))

    def ask(self, code: int, fields: dict[str, Any], body: bytes = b"") -> Answer:
        """Send one request and wait for its answer. Raises Down."""
        number = next(_numbers)
        said = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in fields.items()}
        if self.keys:
            said |= _signed(said, body, self.keys)
        header = {"code": code, "language": "PYTHON", "version": 401, "opaque": number, "flag": 0, "extFields": said}
        head = json.dumps(header | {"serializeTypeCurrentRPC": "JSON"}).encode()
        try:
            self.socket.sendall(struct.pack(">ii", 4 + len(head) + len(body), len(head)) + head + body)
            return self._answer(number)
        except (OSError, ValueError, struct.error) as error:
            raise Down(str(error) or type(error).__name__) from error

    def _answer(self, number: int) -> Answer:
        while True:
            (length,) = struct.unpack(">i", self._read(4))
            if not 4 <= length <= LARGEST:
                raise Down(_("This is no RocketMQ server."))
            data = self._read(length)
            size = struct.unpack(">i", data[:4])[0] & 0xFFFFFF
            head = json.loads(data[4 : 4 + size])
            if head.get("opaque") == number and head.get("flag", 0) & 1:
                return Answer(head["code"], head.get("remark") or "", data[4 + size :])

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise Down(_("The server closed the connection."))
            data += more
        return data

    def close(self) -> None:
        self.socket.close()


def route(peer: Peer, topic: str) -> tuple[str, int] | None:
    """The address of the topic's first writable broker and the number of its queues; None where the topic is unknown."""
    answer = peer.ask(ROUTE, {"topic": topic, "acceptStandardJsonOnly": True})
    if answer.code == TOPIC_UNKNOWN:
        return None
    if answer.code != OK:
        raise Down(answer.remark)
    found = json.loads(_BARE_KEYS.sub(rb'\1"\2":', answer.body))
    brokers = {each["brokerName"]: each["brokerAddrs"].get("0") for each in found["brokerDatas"]}
    for queue in found["queueDatas"]:
        if queue["perm"] & 2 and brokers.get(queue["brokerName"]):
            return str(brokers[queue["brokerName"]]), int(queue["writeQueueNums"])
    raise Down(_("No broker of this topic can be written to."))


def _signed(fields: dict[str, str], body: bytes, keys: tuple[str, str]) -> dict[str, str]:
    whole = fields | {"AccessKey": keys[0]}
    content = "".join(whole[name] for name in sorted(whole)).encode() + body
    digest = hmac.new(keys[1].encode(), content, hashlib.sha1).digest()
    return {"AccessKey": keys[0], "Signature": base64.b64encode(digest).decode()}
