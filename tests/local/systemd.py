"""What systemd is to a service: a datagram socket that listens, at a path or (with ``@``) at an abstract name."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def systemd_ear(address: Path | str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """Listen where NOTIFY_SOCKET then points to; the function gives what was heard since it was last asked."""
    name = str(address)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("\0" + name[1:] if name.startswith("@") else os.fspath(name))
        ear.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield lambda: list(_waiting(ear))


def _waiting(ear: socket.socket) -> Iterator[str]:
    while True:
        try:
            yield ear.recv(4096).decode()
        except BlockingIOError:
            return
