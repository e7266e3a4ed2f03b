"""From a device's publish to a browser's open connection, on real servers, and across their failures."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.flows.platform import Account, Connection, Platform
from tests.services import eventually


class Live:
    """An open live connection."""

    def __init__(self, client: ClientConnection) -> None:
        self.client = client
        self.heard: list[dict[str, Any]] = []

    def ask(self, message: Any) -> dict[str, Any]:
        self.client.send(json.dumps(message))
        return self.hear(lambda each: each["type"] in ("subscribed", "unsubscribed", "error"))

    def hear(self, wanted: Any) -> dict[str, Any]:
        """The next message that is wanted; those before it are kept in `heard`."""
        while True:
            message: dict[str, Any] = json.loads(self.client.recv(timeout=20))
            self.heard.append(message)
            if wanted(message):
                return message

    def value(self, account: Account, name: str, value: Any) -> None:
        """Wait for a reading."""
        self._row("readings", lambda row: row[:2] == [account.key, name] and row[3] == value)

    def online(self, account: Account, online: bool) -> None:
        self._row("status", lambda row: row[:2] == [account.key, online])

    def _row(self, kind: str, wanted: Callable[[list[Any]], bool]) -> None:
        self.hear(lambda each: each["type"] == kind and any(wanted(row) for row in each["data"]))


@contextmanager
def watching(platform: Platform, *accounts: Account, **more: Any) -> Iterator[Live]:
    token = platform.http.headers["Authorization"].partition(" ")[2]
    address = f"{platform.services.url.replace('http', 'ws')}/ws/live/?tenant=default"
    with connect(address, subprotocols=[f"bearer.{token}"]) as client:  # type: ignore[list-item]
        live = Live(client)
        keys = [account.key for account in accounts]
        assert live.ask({"subscribe": {"devices": keys, **more}})["devices"] == keys
        yield live


def test_a_message_is_on_the_open_connection(platform: Platform) -> None:
    account = platform.device()
    with watching(platform, account) as live, platform.connect(account) as device:
        device.say("telemetry", {"n": 1})
        live.value(account, "n", 1)
        device.say("telemetry", [{"ts": 1_790_000_000_000, "values": {"n": 2}}])
        live.value(account, "n", 2)


def test_what_came_by_http_is_there_too(platform: Platform) -> None:
    account = platform.device()
    with watching(platform, account) as live:
        answer = platform.services.client(auth=tuple(account)).post("/api/v1/device/telemetry", json={"n": 7})
        assert answer.status_code == 200, answer.text
        live.value(account, "n", 7)


def test_coming_and_going_are_told(platform: Platform) -> None:
    account = platform.device()
    with watching(platform, account) as live:
        with platform.connect(account, will="offline") as device:
            device.say("telemetry", {"n": 1})
            live.online(account, True)
            device.say("status", b"offline")
            live.online(account, False)


def test_frames_are_shown_with_what_became_of_them_while_somebody_looks(platform: Platform) -> None:
    account = platform.device()
    with platform.connect(account) as device:
        device.say("telemetry", {"n": 0})
        eventually(lambda: platform.latest(account))
        with watching(platform, frames=[account.key]) as live:
            eventually(lambda: _frame_of(device, live))
        shown = live.heard[-1]["data"][-1]
        assert (shown["device"], shown["verdict"], shown["size"]) == (account.key, "not_json", 4)


def _frame_of(device: Connection, live: Live) -> bool:
    """Say something, and whether its frame comes within a moment: the worker may have to be told first that somebody looks."""
    device.say("telemetry", b"nope")
    try:
        message = json.loads(live.client.recv(timeout=1))
    except TimeoutError:
        return False
    live.heard.append(message)
    return bool(message["type"] == "frames")


def test_without_valkey_readings_are_stored_and_the_connection_catches_up_afterwards(platform: Platform) -> None:
    account = platform.device()
    with platform.connect(account) as device, watching(platform, account) as live:
        device.say("telemetry", {"n": 1})
        live.value(account, "n", 1)
        platform.services.stop("valkey")
        try:
            device.say("telemetry", {"n": 2})
            eventually(lambda: platform.latest(account) == {"n": 2}, 60)
        finally:
            platform.services.start("valkey")
        live.value(account, "n", 2)
        device.say("telemetry", {"n": 3})
        live.value(account, "n", 3)


def test_a_worker_that_is_killed_is_followed_by_one_that_publishes(platform: Platform) -> None:
    account = platform.device()
    with watching(platform, account) as live:
        platform.services.kill("uplink", signal.SIGKILL)
        with platform.connect(account) as device:
            device.say("telemetry", {"n": 1})
            live.value(account, "n", 1)
