"""How the web server has Django answer: each request from end to end in one thread, taken from a few that stay."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from os import SEEK_END
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.db import close_old_connections
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

MOST_REQUESTS = 640
"""At once, in each process; whoever comes then waits. A request that waits for a command's end holds its thread, and 500 may."""
SMALL = 1_000_000  # bytes


class Handler(ASGIHandler):
    """Django's own one, but for its ways: a thread of its own for each request, and four changes between it and the loop.

    Our middleware and views are plain functions, so the loop hands a request over and gets its whole answer back. For a
    small answer Django's ways cost more than all else. An answer that streams goes Django's way.
    """

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(MOST_REQUESTS, thread_name_prefix="request")
        self._abandoned: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; raises ValueError for what is not HTTP."""
        if scope["type"] != "http":
            raise ValueError(f"this answers HTTP, not {scope['type']}")
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        answering = asyncio.ensure_future(sync_to_async(self._answer, thread_sensitive=False, executor=self._threads)(scope, body))
        gone = asyncio.ensure_future(receive())  # the next word is that nobody listens any more
        try:
            await asyncio.wait((gone, answering), return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                await self._send(answering.result(), gone, send)
        finally:
            gone.cancel()
            if answering.done():
                body.close()
            else:
                self._let_it_end(answering, body)

    def _answer(self, scope: dict[str, Any], body: Any) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=type(self), scope=scope)
        request, refused = self.create_request(_measured(scope, body), body)
        response: Any = refused if request is None else self.get_response(request)
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
            response = _whole_if_small(response)
        response._handler_class = type(self)
        if response.streaming:
            close_old_connections()  # this thread's; its parts are made in another one
        else:
            response.close()
        answer: HttpResponseBase = response
        return answer

    async def _send(self, response: HttpResponseBase, gone: "asyncio.Future[Any]", send: Send) -> None:
        if not response.streaming:
            await self.send_response(response, send)
            return
        async with ThreadSensitiveContext():  # the parts and the end in one thread, with one connection to the database
            sending = asyncio.ensure_future(self.send_response(response, send))
            try:
                await asyncio.wait((gone, sending), return_when=asyncio.FIRST_COMPLETED)
                await _ended(sending)
            finally:
                sending.cancel()
                await sync_to_async(response.close)()

    def _let_it_end(self, answering: "asyncio.Future[HttpResponseBase]", body: Any) -> None:
        """A thread cannot be stopped: what it needs stays until it is through."""

        async def end() -> None:
            try:
                response = await answering
                if response.streaming:
                    await sync_to_async(response.close, thread_sensitive=False, executor=self._threads)()
            finally:
                body.close()

        task = asyncio.ensure_future(end())
        self._abandoned.add(task)
        task.add_done_callback(self._abandoned.discard)


def _measured(scope: dict[str, Any], body: Any) -> dict[str, Any]:
    """A body that came in chunks has no length, and Django and REST framework take what has no length for empty."""
    names = {name.lower() for name, _ in scope["headers"]}
    if b"transfer-encoding" not in names or b"content-length" in names:
        return scope
    length = str(body.seek(0, SEEK_END)).encode()
    body.seek(0)
    return {**scope, "headers": [*scope["headers"], (b"content-length", length)]}


def _whole_if_small(response: Any) -> HttpResponseBase:
    """Read here what is soon read, such as the pages' styles and scripts: each part of a stream costs ways between threads."""
    if int(response.headers.get("Content-Length") or SMALL) >= SMALL:
        return response
    whole: Any = HttpResponse(response.getvalue(), status=response.status_code, headers=response.headers)
    whole.cookies, whole._resource_closers = response.cookies, response._resource_closers
    return whole


async def _ended(sending: "asyncio.Future[None]") -> None:
    """Have it end, and raise what went wrong in it; that it was cut short is no error."""
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending
