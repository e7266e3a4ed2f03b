"""Plain TCP and TLS to the world outside: to judged addresses, bounded in time."""

import socket
import ssl

from .addresses import pinned
from .errors import Down

CONNECT, SILENCE = 5.0, 10.0  # seconds


def connect(host: str, port: int) -> socket.socket:
    """A connection to the host's judged address. Raises Down, Forbidden."""
    try:
        found = socket.create_connection((pinned(host, port), port), CONNECT)
    except OSError as error:
        raise Down(f"{host}:{port}: {error}") from error
    found.settimeout(SILENCE)
    return found


def secured(plain: socket.socket, host: str, *, verify: bool = True) -> socket.socket:
    """The same connection under TLS. Raises Down."""
    try:
        return tls_context(verify=verify).wrap_socket(plain, server_hostname=host)
    except OSError as error:
        raise Down(f"{host}: {error}") from error


def tls_context(*, verify: bool = True) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
