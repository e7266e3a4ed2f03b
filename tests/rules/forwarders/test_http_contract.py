"""The contract on HTTP, whose real server is a plain one of the tests' own; it runs with every `make test`."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.rules.forwarders.contract import ForwarderContract, Received
from tests.rules.outside.web import Asked, Web


class Receiver:
    kind = "http"
    secret = "password"
    poison = '{"device": "{{ device.key }}", "n": {{ values.n }}, "bad": {{ values.n | times(0) }}}'

    def __init__(self, batch: bool) -> None:
        self.web, self.batch = Web(), batch
        self.web.answer = self.answer
        self.taken: list[Any] = []

    def answer(self, asked: Asked) -> Any:
        if asked.headers.get("authorization") != "Basic " + base64.b64encode(b"us:right").decode():
            return 401, b"who are you?", {}
        messages = asked.json if self.batch else [asked.json]
        if any("bad" in message and message["n"] == 0 for message in messages):
            return 422, b"zero is not for us", {}
        self.taken += messages
        return 200, b"", {}

    def start(self) -> None:
        self.web.start()

    def stop(self) -> None:
        self.web.stop()

    def settings(self) -> dict[str, Any]:
        return {"url": self.web.url, "batch": self.batch, "username": "us", "password": "right"}

    def received(self) -> Received:
        return [(each["device"], each["n"]) for each in self.taken]


@pytest.fixture(params=[False, True], ids=["each", "batch"])
def counterpart(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    receiver = Receiver(request.param)
    yield receiver
    receiver.stop()


class TestHttp(ForwarderContract):
    pass
