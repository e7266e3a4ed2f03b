"""The broker's word on who comes and goes, read from Mosquitto's log topic.

Mosquitto writes `<time>: New client connected from 127.0.0.1:52144 as pump-1 (p2, c1, k60, u'pump-1').` and, when a
connection ends, `Client pump-1 ...`. The client id is the account, because the devices' listener says so.
"""

import re

TOPIC = "$SYS/broker/log/N"
_CONNECTED = re.compile(rb"New client connected from \S+ as (\S+) \(")
# “Client pump-1 disconnected.” is not among them: a device that says goodbye sleeps until it has something to say,
# and the broker sends no last will for it either.
_GONE = re.compile(
    rb"Client (\S+) (?:closed its connection|has exceeded timeout|already connected|been disconnected"
    rb"|disconnected, not authorised|disconnected due to|disconnected: )"
)


def read(line: bytes) -> tuple[str, bytes] | None:
    """The device key and `online` or `offline`; None where the line is about something else."""
    _, _, text = line.partition(b": ")
    if not line[:1].isdigit():
        return None
    for pattern, word in ((_CONNECTED, b"online"), (_GONE, b"offline")):
        if found := pattern.match(text):
            return found[1].decode("utf-8", "replace"), word
    return None
