"""TCP ports: is one taken, which one is free, and which one did this home use last time."""

import json
import random
import socket
from pathlib import Path

from iotpanel.local.say import Trouble


def is_taken(port: int, host: str = "127.0.0.1") -> bool:
    """True where something listens on the port already (asked by trying to bind it)."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return True
    return False


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on right now.

    Taken from below the range that the kernel gives to outgoing connections: one of those could take it before we listen.
    """
    first = ephemeral_start()
    for _ in range(1000):
        port = random.randrange(first - 10_000, first)  # noqa: S311 - to differ from the next one, not to be secret
        if not is_taken(port, host):
            return port
    raise Trouble(f"no free port below {first} on {host}")


def ephemeral_start() -> int:
    """The first port that the kernel gives to outgoing connections."""
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return 32768
    return max(first, 20_000)


def accepts(port: int, host: str = "127.0.0.1") -> bool:
    """True where a server takes connections on the port."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def demand_free(port: int, host: str, setting: str) -> None:
    """Raise Trouble, naming the setting to change, where the port is taken."""
    if is_taken(port, host):
        raise Trouble(f"port {port} on {host} is taken; stop what listens there or set {setting} to another port")


def remembered_port(file: Path, name: str, asked: int = 0) -> int:
    """The port that this home uses for ``name``: the one asked for, or the last one, or at the first time a free one."""
    known = read(file)
    port = asked or known.get(name) or free_port()
    if known.get(name) != port:
        known[name] = port
        file.write_text(json.dumps(known, indent=1) + "\n")
    return known[name]


def forget_taken(file: Path) -> None:
    """Before a start: forget the remembered ports that somebody else listens on by now."""
    file.write_text(json.dumps({name: port for name, port in read(file).items() if not is_taken(port)}, indent=1) + "\n")


def read(file: Path) -> dict[str, int]:
    known: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    return known
