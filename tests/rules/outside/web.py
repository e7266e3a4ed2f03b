"""A web server of the tests' own: remembers requests, answers as told, and can be stopped and started on its port."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server(ThreadingHTTPServer):
    """Knows its connections, so that stopping ends those that are kept open too."""

    allow_reuse_address = True

    def __init__(self, *args: Any) -> None:
        self.open: list[Any] = []
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.append(request)
        super().process_request(request, client_address)

    def hang_up(self) -> None:
        for each in self.open:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open.clear()


class Web:
    """`answer` decides: it is given what was asked, and returns status, body and headers."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Any = lambda asked: (200, b"thanks", {})
        self.server = self._serve(0)
        self.port: int = self.server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _serve(self, port: int) -> Server:
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                web.asked.append(asked)
                status, answer, headers = web.answer(asked)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PUT = do_PATCH = do_any

            def log_message(self, *_: Any) -> None:
                pass

        server = Server(("127.0.0.1", port), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return server

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.server.hang_up()

    def start(self) -> None:
        self.server = self._serve(self.port)

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Web"]:
        web = cls()
        try:
            yield web
        finally:
            web.stop()
