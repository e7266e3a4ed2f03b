"""Valkey: the queue of Celery, the channel layer and the cache."""

import socket
from dataclasses import dataclass

from iotpanel.local.home import Home, write_private
from iotpanel.local.part import Part
from iotpanel.local.tree import Tree

SETTINGS = """\
# Written at each start.
bind 127.0.0.1
port {port}
requirepass {password}
dir "{data}"
daemonize no
# The command line stays as it was started: it shows which home the process belongs to.
set-proc-title no
# Queued tasks outlive a restart; the cache may be lost, so that it alone is evicted when memory is short.
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy volatile-lru
"""


@dataclass(frozen=True)
class Valkey:
    """The cache of one home."""

    tree: Tree
    home: Home
    port: int

    @property
    def url(self) -> str:
        return f"redis://default:{self.home.secret('cache')}@127.0.0.1:{self.port}/0"

    def part(self) -> Part:
        program = self.tree.program("valkey-server", "redis-server")
        return Part("valkey", (str(program), str(self.home.root / "valkey/valkey.conf")), self.is_ready, patience=20)

    def prepare(self) -> None:
        data = self.home.root / "valkey"
        data.mkdir(exist_ok=True, mode=0o700)
        write_private(data / "valkey.conf", SETTINGS.format(port=self.port, password=self.home.secret("cache"), data=data))

    def is_ready(self) -> bool:
        """True once it answers PING, which it refuses while it still loads its file."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.home.secret('cache')}\r\nPING\r\n".encode())
                lines = connection.makefile("rb")
                return [lines.readline(), lines.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False
