"""A browser's or a service's end of `/ws/live/`, for tests."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from unittest import mock

from asgiref.sync import async_to_sync, sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from iotpanel.asgi import application
from iotpanel.tenants.models import User
from telemetry.live import Publisher

PATIENCE = 10  # seconds after which a test gives up
Headers = list[tuple[bytes, bytes]]


def cookies_of(user: User) -> Headers:
    """What a signed-in browser sends from a page of ours."""
    client = Client()
    client.force_login(user)
    return [
        (b"host", b"testserver"),
        (b"origin", b"http://testserver"),
        (b"cookie", f"iotpanel_session={client.cookies['iotpanel_session'].value}".encode()),
    ]


def bearer(token: str) -> Headers:
    return [(b"authorization", f"Bearer {token}".encode())]


class Socket:
    """An open connection."""

    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self._communicator = communicator

    async def say(self, message: Any) -> None:
        await self._communicator.send_json_to(message)

    async def say_text(self, text: str) -> None:
        await self._communicator.send_to(text_data=text)

    async def hear(self, kind: str | None = None) -> dict[str, Any]:
        """The next message, or the next one of a type."""
        while True:
            message: dict[str, Any] = await self._communicator.receive_json_from(timeout=PATIENCE)
            if kind is None or message["type"] == kind:
                return message

    async def ask(self, message: Any) -> dict[str, Any]:
        """Say something and hear the answer to it."""
        await self.say(message)
        while True:
            answer = await self.hear()
            if answer["type"] in ("subscribed", "unsubscribed", "error"):
                return answer

    async def closed(self) -> int:
        """The code with which the server closes the connection."""
        while True:
            output = await self._communicator.receive_output(timeout=PATIENCE)
            if output["type"] == "websocket.close":
                return int(output.get("code", 1000))

    async def silent(self) -> bool:
        return bool(await self._communicator.receive_nothing(timeout=0.3))


@asynccontextmanager
async def opened(who: User | Headers, *, path: str = "/ws/live/", subprotocols: list[str] | None = None) -> Any:
    """Connect as a person with a browser, or with these headers."""
    headers = await sync_to_async(cookies_of)(who) if isinstance(who, User) else who
    communicator = WebsocketCommunicator(application, path, headers=headers, subprotocols=subprotocols)
    connected, subprotocol = await communicator.connect(timeout=PATIENCE)
    assert connected, "the handshake was refused"
    assert subprotocol == (subprotocols[0] if subprotocols else None)
    try:
        yield Socket(communicator)
    finally:
        await communicator.disconnect(timeout=PATIENCE)


async def refused(headers: Headers, *, path: str = "/ws/live/", subprotocols: list[str] | None = None) -> bool:
    """Whether the handshake is refused."""
    communicator = WebsocketCommunicator(application, path, headers=headers, subprotocols=subprotocols)
    connected, _ = await communicator.connect(timeout=PATIENCE)
    await communicator.disconnect(timeout=PATIENCE)
    return not connected


async def until(condition: Callable[[], Any]) -> None:
    """Wait until something that happens elsewhere has happened."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def publishing() -> Any:
    """A publisher as a worker has one."""
    publisher = Publisher()
    publisher.start()
    try:
        yield publisher
    finally:
        await asyncio.to_thread(publisher.stop)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario on a loop of its own, on the test's database connection, which Channels must not close between two looks."""
    with mock.patch("channels.db.close_old_connections"):
        async_to_sync(scenario)()
