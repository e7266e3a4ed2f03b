"""How requests are answered: whole ones in one go, streams part by part, and nothing is left open when a client leaves."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.core.signals import request_finished
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.utils import translation
from pytest_django import Settings

from devices.downlink import waiting
from iotpanel.handler import MOST_REQUESTS, SMALL, Handler

Message = dict[str, Any]
Answer = TypeVar("Answer")


class Views:
    """What the tests' addresses do, and what came of it."""

    def __init__(self) -> None:
        self.threads: list[int] = []
        self.may_answer = threading.Event()
        self.closed = threading.Event()
        self.file = Path()

    def plain(self, request: HttpRequest) -> HttpResponse:
        self.threads.append(threading.get_ident())
        language = translation.get_language()
        translation.activate("zh-hans")
        return HttpResponse(f"{language} {request.read().decode()}", headers={"X-Kind": "plain"})

    def waits(self, request: HttpRequest) -> StreamingHttpResponse:
        self.may_answer.wait(10)
        self.threads.append(len(request.body))
        return self.parts(request)

    def parts(self, request: HttpRequest, number: int = 1000) -> StreamingHttpResponse:
        return self._noted(StreamingHttpResponse(self._parts(number)))

    def breaks(self, request: HttpRequest) -> StreamingHttpResponse:
        return self.parts(request, -1)

    async def _parts(self, wanted: int) -> AsyncIterator[bytes]:
        for number in range(abs(wanted)):
            yield b"%d," % number
            await asyncio.sleep(0)
        if wanted < 0:
            raise LookupError("the rest is not there")

    def _noted(self, response: Answer) -> Answer:
        closers: list[Any] = getattr(response, "_resource_closers")  # noqa: B009 - not in the types
        closers.append(self.closed.set)
        return response

    def sends_file(self, request: HttpRequest) -> FileResponse:
        response = FileResponse(self.file.open("rb"), content_type="text/plain")
        response.set_cookie("seen", "yes")
        return self._noted(response)


VIEWS = Views()
urlpatterns = [
    path("plain/", lambda request: VIEWS.plain(request)),
    path("length/", lambda request: HttpResponse(f"{request.META['CONTENT_LENGTH']} {request.read().decode()}")),
    path("parts/", lambda request: VIEWS.parts(request)),
    path("breaks/", lambda request: VIEWS.breaks(request)),
    path("waits/", lambda request: VIEWS.waits(request)),
    path("file/", lambda request: VIEWS.sends_file(request)),
]


@pytest.fixture
def views(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Views:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    settings.ALLOWED_HOSTS = ["*"]
    monkeypatch.setattr(sys.modules[__name__], "VIEWS", Views())
    return VIEWS


class Client:
    """One request; it leaves when it is told to."""

    def __init__(self, address: str, body: bytes = b"") -> None:
        self.scope: Message = {
            "type": "http",
            "method": "POST",
            "path": address,
            "query_string": b"",
            "headers": [(b"host", b"panel"), (b"content-length", str(len(body)).encode())],
        }
        self._coming: list[Message] = [{"type": "http.request", "body": body}]
        self.left = asyncio.Event()
        self.got: list[Message] = []
        self.on_part: Callable[[], Awaitable[None] | None] = lambda: None

    async def receive(self) -> Message:
        if self._coming:
            return self._coming.pop()
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.got.append(message)
        self.on_part()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.got)

    async def ask(self, handler: Handler) -> None:
        await asyncio.wait_for(handler(self.scope, self.receive, self.send), 10)


def test_it_answers_from_threads_that_stay_and_keep_nothing_of_the_request_before(views: Views) -> None:
    async def scenario() -> list[Client]:
        handler, clients = Handler(), [Client("/plain/", b"hello %d" % number) for number in range(20)]
        for client in clients:
            await client.ask(handler)
        return clients

    clients = asyncio.run(scenario())
    assert [client.body for client in clients] == [b"en hello %d" % number for number in range(20)]
    assert clients[0].got[0]["status"] == 200
    assert (b"X-Kind", b"plain") in clients[0].got[0]["headers"]
    assert threading.get_ident() not in views.threads
    assert len(set(views.threads)) < 20  # a request may come before the last one's thread is said to be free


def test_a_body_that_comes_in_chunks_is_measured(views: Views) -> None:
    """Without a length Django takes it for empty, and a command that was sent so had no name."""
    client = Client("/length/", b"hello")
    client.scope["headers"] = [(b"host", b"panel"), (b"transfer-encoding", b"chunked")]
    asyncio.run(client.ask(Handler()))
    assert client.body == b"5 hello"


@pytest.mark.parametrize("address", ["/plain/", "/parts/", "/file/"])
def test_a_request_ends_once_for_django_too(address: str, views: Views) -> None:
    views.file = Path(__file__)
    ended: list[Any] = []
    request_finished.connect(lambda sender, **_: ended.append(sender), weak=False, dispatch_uid="test_handler")
    try:
        asyncio.run(Client(address).ask(Handler()))
    finally:
        request_finished.disconnect(dispatch_uid="test_handler")
    assert ended == [Handler]


def test_streams_come_part_by_part_and_are_closed(views: Views) -> None:
    client = Client("/parts/")
    asyncio.run(client.ask(Handler()))
    assert client.body == b"".join(b"%d," % number for number in range(1000))
    assert len(client.got) > 1000
    assert views.closed.is_set()


def test_a_stream_ends_when_its_client_leaves(views: Views) -> None:
    async def scenario() -> Client:
        client = Client("/parts/")
        client.on_part = lambda: client.left.set() if len(client.got) == 10 else None
        await client.ask(Handler())
        return client

    assert 10 <= len(asyncio.run(scenario()).got) < 1000
    assert views.closed.is_set()


def test_what_goes_wrong_in_a_stream_is_raised_and_the_stream_closed(views: Views) -> None:
    with pytest.raises(LookupError, match="not there"):
        asyncio.run(Client("/breaks/").ask(Handler()))
    assert views.closed.is_set()


def test_a_client_that_leaves_before_the_answer_costs_nothing_but_the_thread_meanwhile(views: Views) -> None:
    async def scenario() -> Client:
        handler, client = Handler(), Client("/waits/", b"the body stays")
        client.left.set()
        await client.ask(handler)
        assert not views.threads
        views.may_answer.set()
        await asyncio.to_thread(views.closed.wait, 10)
        return client

    assert asyncio.run(scenario()).got == []
    assert views.threads == [len(b"the body stays")]
    assert views.closed.is_set()


def test_a_client_that_leaves_while_it_sends_is_not_answered(views: Views) -> None:
    async def scenario() -> Client:
        client = Client("/plain/")
        client._coming.clear()
        client.left.set()
        await client.ask(Handler())
        return client

    assert asyncio.run(scenario()).got == []
    assert views.threads == []


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")  # Django's word on a large file: it reads it as a whole
@pytest.mark.parametrize("size", [0, SMALL - 1, SMALL])
def test_a_file_is_sent_with_all_that_goes_with_it_whole_or_not(size: int, views: Views, tmp_path: Path) -> None:
    views.file = tmp_path / "file.txt"
    views.file.write_bytes(b"x" * size)
    client = Client("/file/")
    asyncio.run(client.ask(Handler()))

    headers = dict(client.got[0]["headers"])
    assert (headers[b"Content-Type"], headers[b"Content-Length"]) == (b"text/plain", str(size).encode())
    assert headers[b"Set-Cookie"].startswith(b"seen=yes")
    assert client.body == b"x" * size
    assert views.closed.is_set()


def test_those_who_wait_for_commands_leave_threads_for_others() -> None:
    assert MOST_REQUESTS > waiting.MOST + 100


def test_it_answers_http_only() -> None:
    client = Client("/plain/")
    client.scope["type"] = "websocket"
    with pytest.raises(ValueError, match="websocket"):
        asyncio.run(client.ask(Handler()))
