"""TCP ports: is one taken, which one is free, and which one did this home use last time."""

import json
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
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


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


def remembered_port(file: Path, name: str) -> int:
    """The port that this home used for ``name``, or a new free one where that is taken or unknown."""
    known: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    port = known.get(name)
    if port is None or is_taken(port):
        port = known[name] = free_port()
        file.write_text(json.dumps(known, indent=1) + "\n")
    return port
