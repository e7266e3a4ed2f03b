"""An OpenID provider on loopback: it vouches for whoever the test says, as real ones do, over HTTP."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt

CLIENT, SECRET = "panel", "provider-secret"


@dataclass
class Provider:
    """`claims` are what it says of the person; `asked` are the requests to its token endpoint; `broken` answers 500 to all."""

    url: str
    claims: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    broken: bool = False

    def answer(self, path: str, body: str) -> tuple[int, dict[str, Any]]:
        if self.broken:
            return 500, {}
        if path == "/.well-known/openid-configuration":
            named = {"authorization_endpoint": "authorize", "token_endpoint": "token", "userinfo_endpoint": "userinfo", "jwks_uri": "jwks"}
            return 200, {"issuer": self.url, **{name: f"{self.url}/{place}" for name, place in named.items()}}
        if path == "/token":
            self.asked.append({name: values[0] for name, values in parse_qs(body).items()})
            return self.tokens() if self.asked[-1].get("code") == "good" else (400, {"error": "invalid_grant"})
        return (200, self.claims) if path == "/userinfo" else (404, {})

    def tokens(self) -> tuple[int, dict[str, Any]]:
        said = {"iss": self.url, "aud": CLIENT, "exp": time.time() + 60, **self.claims, **self.token}
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": jwt.encode(said, "k" * 32)}


@contextmanager
def provider() -> Iterator[Provider]:
    """One that runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            status, answer = made.answer(self.path, self.rfile.read(length).decode())
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Provider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
