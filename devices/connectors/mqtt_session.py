"""A persistent MQTT session: connects, reads in large pieces, writes what it is given, and connects again.

Ours, because a general client spends seven system calls and four locks on a message: a wait and three reads for it, a
wake-up, and a write of four bytes for its ack. Here a wait and a read bring hundreds of messages, and the acks of a batch leave
together. One thread does all the talking, so that TLS is safe; `send` may be called from any.
"""

import contextlib
import itertools
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote

import structlog

from . import mqtt_packets as packets
from .mqtt_packets import Malformed, Message

KEEPALIVE = 30  # seconds
PATIENCE = 5.0  # seconds for connecting and for saying goodbye
RETRY_FIRST, RETRY_LAST = 1.0, 10.0  # seconds
PIECE = 65_536  # bytes read at once
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_numbers = itertools.count(1)  # of connections: none is used twice in a process, or an ack could meet the wrong one
log = structlog.get_logger(__name__)


class Refused(ConnectionError):
    """The broker does not let us in."""


class Listener(Protocol):
    """Who uses a session; called on its thread. `connection` numbers the connections."""

    def opened(self, connection: int) -> None: ...

    def closed(self, reason: str) -> None: ...

    def received(self, connection: int, messages: Sequence[Message]) -> None: ...

    def subscribed(self, refused: int) -> None: ...


class MqttSession:
    """The session of one client id with one broker."""

    def __init__(self, url: SplitResult, client_id: str, listener: Listener) -> None:
        self._url, self._client_id, self._listener = url, client_id, listener
        self._lock = threading.Lock()
        self._outgoing = bytearray()
        self._connection = 0  # 0 is none: nothing may be sent
        self._number = self._mid = 0
        self._spoke = self._heard = self._pinged = 0.0
        self._retry_last = RETRY_LAST
        self._stopping = threading.Event()
        self._wakes, self._woken = socket.socketpair()
        self._wakes.setblocking(False)
        self._woken.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="mqtt-session", daemon=True)

    def start(self) -> None:
        """Connect in the background, and again whenever the connection is lost."""
        self._thread.start()

    def stop(self) -> None:
        """Send what waits, say goodbye, leave; the session stays in the broker."""
        self._stopping.set()
        self._wake()
        if self._thread.is_alive():
            self._thread.join(PATIENCE + 1)
        self._wakes.close()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def send(self, data: bytes, connection: int) -> None:
        """Queue bytes for this connection; where it is gone, they are dropped: nobody would understand them."""
        with self._lock:
            if connection != self._connection:
                return
            self._outgoing += data
            first = len(self._outgoing) == len(data)
        if first:
            self._wake()

    def subscribe(self, topics: Sequence[str], connection: int) -> None:
        self._ask(packets.subscribe, topics, connection)

    def unsubscribe(self, topics: Sequence[str], connection: int) -> None:
        self._ask(packets.unsubscribe, topics, connection)

    def publish(self, topic: str, payload: bytes, connection: int) -> None:
        """At QoS 1, but not again where it is lost."""
        self.send(packets.publish(self._next_mid(), topic, payload), connection)

    def _ask(self, packet: Callable[[int, Sequence[str]], bytes], topics: Sequence[str], connection: int) -> None:
        if topics:
            self.send(packet(self._next_mid(), topics), connection)

    def _next_mid(self) -> int:
        with self._lock:
            self._mid = self._mid % 65_535 + 1
            return self._mid

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it will wake; closed: it is over
            self._wakes.send(b"\0")

    # --- The thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        delay = RETRY_FIRST
        while not self._stopping.is_set():
            self._number = next(_numbers)
            try:
                with self._open() as sock:
                    rest = self._sign_in(sock)
                    delay = RETRY_FIRST
                    self._stay(sock, rest)
            except Exception as error:  # mostly OSError; a fault of ours costs a connection too, and messages come again
                self._lost(error)
            self._stopping.wait(delay)
            delay = min(delay * 2, self._retry_last)

    def _open(self) -> socket.socket:
        host, tls = self._url.hostname or "127.0.0.1", self._url.scheme == "mqtts"
        plain = socket.create_connection((host, self._url.port or (8883 if tls else 1883)), PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host) if tls else plain

    def _sign_in(self, sock: socket.socket) -> bytes:
        """Raises Refused; returns what came behind the broker's welcome."""
        user, password = unquote(self._url.username or ""), unquote(self._url.password or "")
        sock.sendall(packets.connect(self._client_id, user, password, KEEPALIVE))
        data = b""
        while len(data) < 4:
            if not (more := sock.recv(PIECE)):
                raise Refused("closed while signing in")
            data += more
        if data[0] != packets.CONNACK or data[3]:
            raise Refused(packets.CONNACK_REASONS.get(data[3], f"answer {data[:4].hex()}"))
        self._welcomed()
        return data[4:]

    def _welcomed(self) -> None:
        """From now on there is somebody to talk to."""
        self._spoke = self._heard = time.monotonic()
        with self._lock:
            self._outgoing.clear()
            self._connection = self._number
        self._listener.opened(self._number)

    def _stay(self, sock: socket.socket, rest: bytes) -> None:
        """Read and write until we are told to stop. Raises OSError, Malformed."""
        sock.setblocking(False)
        rest = self._take(rest)
        writing = False
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            selector.register(sock, selectors.EVENT_READ)
            while not self._stopping.is_set():
                if writing != bool(self._outgoing):
                    writing = not writing
                    selector.modify(sock, selectors.EVENT_READ | selectors.EVENT_WRITE if writing else selectors.EVENT_READ)
                ready = [key.fileobj for key, _ in selector.select(0 if _pending(sock) else KEEPALIVE / 4)]
                if self._woken in ready:
                    self._woken.recv(PIECE)
                if self._outgoing:
                    self._write(sock)
                if sock in ready or _pending(sock):
                    rest = self._read(sock, rest)
                self._keep_alive()
        self._say_goodbye(sock)

    def _read(self, sock: socket.socket, rest: bytes) -> bytes:
        try:
            data = sock.recv(PIECE)
        except WOULD_BLOCK:
            return rest
        if not data:
            raise ConnectionError("closed by the broker")
        left = self._take(rest + data if rest else data)
        self._heard = time.monotonic()  # not before: handing over blocks while the queue is full
        return left

    def _take(self, data: bytes) -> bytes:
        """Hand over whole packets; returns what is left of the last one."""
        piece = packets.read(data)
        if piece.messages:
            self._listener.received(self._number, piece.messages)
        for first, body in piece.others:
            if first == packets.SUBACK:
                self._listener.subscribed(body[2:].count(packets.REFUSED))
        return data[piece.end :]

    def _write(self, sock: socket.socket) -> None:
        with self._lock:
            try:
                while self._outgoing:
                    del self._outgoing[: sock.send(self._outgoing)]
                    self._spoke = time.monotonic()
            except WOULD_BLOCK:
                pass

    def _keep_alive(self) -> None:
        """Say something before the broker thinks that we are gone, and notice when it is."""
        now = time.monotonic()
        if now - self._heard > KEEPALIVE * 1.5:
            raise ConnectionError(f"nothing heard for {now - self._heard:.0f} s")
        if now - min(self._spoke, self._heard) > KEEPALIVE / 2 and now - self._pinged > KEEPALIVE / 2:
            self._pinged = now
            self.send(packets.PINGREQ, self._connection)

    def _say_goodbye(self, sock: socket.socket) -> None:
        """Send what waits, and read on until the broker hangs up: closed earlier, the kernel would reset the connection,
        and acks that the broker has not read yet would be gone."""
        sock.settimeout(PATIENCE)
        with self._lock:
            data, self._connection = bytes(self._outgoing) + packets.DISCONNECT, 0
        self._listener.closed("goodbye")
        sock.sendall(data)
        while sock.recv(PIECE):
            pass

    def _lost(self, error: Exception) -> None:
        with self._lock:
            was, self._connection = self._connection, 0
        if self._stopping.is_set():
            return
        reason = str(error)[:300] or repr(error)
        if not isinstance(error, OSError | Malformed):
            log.error("mqtt_failed", exc_info=error)
        if was:
            self._listener.closed(reason)
        elif isinstance(error, Refused):
            log.error("mqtt_refused", reason=reason)
        else:
            log.warning("mqtt_unreachable", reason=reason)


def _pending(sock: Any) -> bool:
    """Whether TLS has bytes that the selector does not see."""
    return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
