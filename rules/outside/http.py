"""HTTP to the world outside: allowed addresses only, no redirects, no proxies, bounded in time and size."""

import ssl
import time
import typing
from functools import cache
from typing import Any

import httpcore
import httpx
from django.utils.translation import gettext as _

from . import addresses
from .errors import Down, Rejected, shortened

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
ANSWER = 16_384  # bytes read of an answer
SECONDS = 15  # for which an answer is read
TRY_AGAIN = {401, 403, 404, 407, 408, 423, 425, 429}  # what is refused is not this message, but all of them
USER_AGENT = "iotpanel"


class GuardedBackend(httpcore.SyncBackend):
    """Opens TCP connections to addresses that were judged; TLS and the Host header still use the name."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: typing.Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        trouble: Exception | None = None
        for address in addresses.resolve(host, port):
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
        assert trouble is not None
        raise trouble

    def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        raise addresses.Forbidden("A Unix socket is no address.")


@cache
def trusted(*, verify: bool) -> ssl.SSLContext:
    """Whom we believe, read once in a process: that takes tens of milliseconds, and a client lives no longer than a delivery."""
    return httpx.create_ssl_context(verify=verify, trust_env=False)


class GuardedTransport(httpx.HTTPTransport):
    def __init__(self, verify: ssl.SSLContext | bool = True) -> None:
        context = verify if isinstance(verify, ssl.SSLContext) else trusted(verify=verify)
        super().__init__(verify=context, trust_env=False)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(ssl_context=context, max_connections=4, keepalive_expiry=30, network_backend=GuardedBackend())


def client(*, verify: bool = True) -> httpx.Client:
    """A client that reaches allowed addresses only and follows nobody elsewhere."""
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    return httpx.Client(transport=GuardedTransport(verify), timeout=TIMEOUT, follow_redirects=False, trust_env=False, headers=headers)


def send(http: httpx.Client, method: str, url: str, **options: Any) -> httpx.Response:
    """One request, its answer read up to a limit. Raises Down, Rejected with the other side's words."""
    return judged(exchange(http, method, url, **options))


def exchange(http: httpx.Client, method: str, url: str, **options: Any) -> httpx.Response:
    """The same, whatever was answered. Raises Down where nothing was."""
    try:
        with http.stream(method, url, **options) as answer:
            answer._content = _beginning(answer)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
        raise Down(_("This address cannot be used: %(error)s") % {"error": error}) from error
    except httpx.HTTPError as error:
        raise Down(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error
    return answer


def _beginning(answer: httpx.Response) -> bytes:
    """The first bytes of the answer, not unpacked: who answers without end, or drop by drop, is listened to no longer."""
    body, until = b"", time.monotonic() + SECONDS
    for chunk in answer.iter_raw():
        body += chunk
        if len(body) >= ANSWER or time.monotonic() > until:
            break
    return body[:ANSWER]


def judged(answer: httpx.Response) -> httpx.Response:
    """The answer, if it is a good one. Raises Down where we are to try again, Rejected where it is the message."""
    if answer.is_success:
        return answer
    words = said(answer)
    if answer.is_redirect:
        raise Down(_("It redirects to %(place)s, and redirects are not followed.") % {"place": answer.headers.get("location", "")[:200]})
    if answer.status_code >= 500 or answer.status_code in TRY_AGAIN:
        raise Down(words)
    raise Rejected(words)


def said(answer: httpx.Response) -> str:
    """Status and words of an answer, in one line."""
    return shortened(f"{answer.status_code} {answer.reason_phrase} {answer.text}")
