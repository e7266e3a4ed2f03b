"""One browser on one device page: an open WebSocket that watches a device while a bench runs."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from bench import platform
from tests.services import Services


class Watched:
    """Counts the frames that came."""

    def __init__(self, live: ClientConnection) -> None:
        self.live = live
        self.frames = 0

    def read(self) -> None:
        try:
            while True:
                self.frames += json.loads(self.live.recv())["type"] == "readings"
        except ConnectionClosed:
            pass


@contextmanager
def watching(services: Services, key: str) -> Iterator[Watched]:
    """A browser that looks at the device of this key, for as long as the block lasts."""
    token = platform.signed_in(services).http.headers["Authorization"].partition(" ")[2]
    address = f"{services.url.replace('http', 'ws')}/ws/live/?tenant=default"
    with connect(address, subprotocols=[f"bearer.{token}"]) as live:  # type: ignore[list-item]
        live.send(json.dumps({"subscribe": {"devices": [key]}}))
        live.recv(timeout=10)
        watched = Watched(live)
        thread = threading.Thread(target=watched.read, daemon=True)
        thread.start()
        yield watched
        live.close()
        thread.join(5)
