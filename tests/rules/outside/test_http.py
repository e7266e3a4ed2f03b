"""HTTP to the outside: it goes to the judged address, follows nobody, and says what it was told."""

import gzip
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pytest_django import Settings

from rules.outside import addresses, http
from rules.outside.addresses import Forbidden
from rules.outside.errors import Down, Rejected
from rules.outside.signing import signed
from tests.rules.outside.web import Web


@pytest.fixture
def web() -> Iterator[Web]:
    with Web.running() as running:
        yield running


@pytest.fixture
def loopback(settings: Settings) -> None:
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]


def ask(url: str) -> httpx.Response:
    with http.client() as client:
        return http.send(client, "POST", url, content=b"{}")


def test_it_reaches_what_is_allowed(web: Web, loopback: None) -> None:
    assert http.said(ask(web.url)) == "200 OK thanks"
    assert web.asked[0].headers["user-agent"] == "iotpanel"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_it_does_not_reach_what_is_not(web: Web, host: str) -> None:
    with pytest.raises(Forbidden):
        ask(f"http://{host}:{web.port}/")
    assert web.asked == []


def test_a_name_that_answers_differently_the_second_time_gains_nothing(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: the first answer is public and judged; the second would be us."""
    answers = iter(["203.0.113.9", "127.0.0.1", "127.0.0.1"])
    connected: list[Any] = []

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        connected.append(address[0])
        raise OSError("nobody there")

    monkeypatch.setattr(addresses, "is_allowed", lambda address: address != "127.0.0.1")
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Down):
        ask(f"http://rebind.example:{web.port}/")
    assert connected == ["203.0.113.9"]
    assert web.asked == []


def test_redirects_are_not_followed(web: Web, loopback: None) -> None:
    with Web.running() as inner:
        web.answer = lambda asked: (307, b"", {"Location": f"{inner.url}/secret"})
        with pytest.raises(Down, match="redirects"):
            ask(web.url)
        assert inner.asked == []


def test_proxies_of_the_environment_are_not_used(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", web.url)
    monkeypatch.setenv("ALL_PROXY", web.url)
    with pytest.raises(Down):
        ask("http://no-such-host.invalid/")
    assert web.asked == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Rejected), (422, Rejected), (413, Rejected), (401, Down), (404, Down), (429, Down), (503, Down)],
)
def test_whose_fault_it_is(web: Web, loopback: None, status: int, kind: type[Exception]) -> None:
    web.answer = lambda asked: (status, b"no, thanks", {})
    with pytest.raises(kind, match=f"{status} .*no, thanks"):
        ask(web.url)


@pytest.mark.parametrize("url", ["ftp://example.com", "http://", "http://[::1", "file:///etc/passwd", "gopher://x", "http://exa mple/"])
def test_what_is_no_address_is_down(url: str) -> None:
    with pytest.raises(Down):
        ask(url)


def test_nobody_is_listened_to_for_ever(web: Web, loopback: None) -> None:
    web.answer = lambda asked: (200, gzip.compress(b"x" * 10_000_000) * 3, {"Content-Encoding": "gzip"})
    answer = ask(web.url)
    assert len(answer._content) <= http.ANSWER


def test_a_signature_covers_time_and_body() -> None:
    one = signed(b"{}", "secret", now=1_700_000_000)
    signature = "v1=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163"
    assert one == {"X-Iotpanel-Timestamp": "1700000000", "X-Iotpanel-Signature": signature}
    assert one != signed(b"{ }", "secret", now=1_700_000_000)
    assert one != signed(b"{}", "secret", now=1_700_000_001)


def test_whom_we_believe_is_read_once() -> None:
    assert http.trusted(verify=True) is http.trusted(verify=True)
    assert http.trusted(verify=True).verify_mode == ssl.CERT_REQUIRED
    assert http.trusted(verify=False).verify_mode == ssl.CERT_NONE
