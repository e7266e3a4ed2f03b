"""What the stack tells the person at the terminal: one line for each step, no line without a reason."""

import os
import socket
import sys

NOTIFY_SOCKET = "NOTIFY_SOCKET"
"""Where systemd listens. Only we answer: PostgreSQL and Mosquitto would call themselves the ready service."""


class Trouble(Exception):
    """Something that only the person can put right; its text is one line that says what and how."""


def say(text: str) -> None:
    """Print one line at once, also where the output is a pipe."""
    print(text, flush=True)


def complain(text: str) -> None:
    """Print one line to the error output at once."""
    print(f"iotpanel: {text}", file=sys.stderr, flush=True)


def tell_systemd(state: str) -> None:
    """Tell systemd, if it is our parent, e.g. ``READY=1``. A socket that nobody reads any more costs a line, never the platform."""
    address = os.environ.get(NOTIFY_SOCKET, "")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.connect("\0" + address[1:] if address.startswith("@") else address)
            notify.sendall(state.encode())
    except OSError as error:
        complain(f"systemd does not hear {state} at {NOTIFY_SOCKET} {address}: {error}")
