"""The broker's word on who comes and goes, read from Mosquitto's log topic.

Mosquitto writes `<time>: New client connected from 127.0.0.1:52144 as pump-1 (p2, c1, k60, u'pump-1').` and, when a
connection ends, `Client pump-1 ...`. The client id is the account, because the devices' listener says so.
"""

import re

from devices.topics import is_device_key

TOPIC = "$SYS/broker/log/N"
# Not where the account is ours: to end the session of a revoked certificate we connect in the device's name.
_CONNECTED = re.compile(rb"New client connected from \S+ as (\S+) \((?![^']*u'iotpanel-)")
# “Client pump-1 disconnected.” is not among them: a device that says goodbye sleeps until it has something to say,
# and the broker sends no last will for it either. Nor is “Client pump-1 disconnected, not authorised.”: the broker
# says so of whoever tries a wrong password too, and a stranger's guess must not make a device look gone.
_GONE = re.compile(
    rb"Client (\S+) (?:closed its connection|has exceeded timeout|already connected|been disconnected"
    rb"|disconnected due to|disconnected: )"
)


def read(line: bytes) -> tuple[str, bytes] | None:
    """The device key and `online` or `offline`; None where the line is about something else, or about one of ours."""
    _, _, text = line.partition(b": ")
    if not line[:1].isdigit():
        return None
    for pattern, word in ((_CONNECTED, b"online"), (_GONE, b"offline")):
        if found := pattern.match(text):
            key = found[1].decode("utf-8", "replace")
            return (key, word) if is_device_key(key) else None  # “<unknown>”: a connection that never said who it is
    return None
