"""Whether the other end of a connection still reads.

Daphne's `send` never waits: what a slow browser does not take piles up in memory. So this watches the connection's
own write buffer through Twisted's producer interface. Servers whose `send` waits by itself need nothing of this.
"""

import asyncio
import functools
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer  # type: ignore[import-untyped]


@implementer(IPushProducer)
class Flow:
    """Open while the connection's write buffer is short (64 KB, Twisted's default), closed while it is longer."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    @property
    def writable(self) -> bool:
        return self._open.is_set()

    async def wait(self) -> None:
        """Until the peer has read enough."""
        await self._open.wait()

    def pauseProducing(self) -> None:
        self._open.clear()

    def resumeProducing(self) -> None:
        self._open.set()

    def stopProducing(self) -> None:
        self._open.set()  # the connection is gone: nobody may wait for it


def flow_of(send: Any) -> Flow:
    """The flow of the connection that an ASGI `send` callable belongs to; always open where the server is not Daphne."""
    flow = Flow()
    transport = _transport(send)
    if transport is not None:
        # The HTTP channel that the connection was upgraded from is still registered, and only one can be.
        transport.unregisterProducer()
        transport.registerProducer(flow, True)
    return flow


def _transport(send: Any) -> Any:
    """Daphne's `send` is `partial(server.handle_reply, protocol)`."""
    if not isinstance(send, functools.partial) or not send.args:
        return None
    transport = getattr(send.args[0], "transport", None)
    return transport if hasattr(transport, "registerProducer") else None
