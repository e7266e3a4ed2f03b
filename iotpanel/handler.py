"""How the web server has Django answer: each request from end to end in one thread."""

from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class Handler(ASGIHandler):
    """Django's own one, but for the chain of middleware, which is the plain one here.

    Our middleware and views are plain functions. Django's asynchronous chain has the event loop call the middleware's
    thread, that thread call the loop for the view, and the loop call the thread again: for a small answer those ways cost
    as much as all else.
    """

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self._answer, thread_sensitive=True)(request)

    def _answer(self, request: Any) -> HttpResponseBase:
        return self.get_response(request)
