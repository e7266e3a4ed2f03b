"""Commands through the real broker: sent by REST, answered by a device, followed on the WebSocket."""

import json
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.flows.platform import Account, Connection, Platform
from tests.make import WITH_COMMANDS
from tests.services import eventually


class Obedient:
    """A device that hears its downlink and answers as it is told."""

    def __init__(self, connection: Connection, status: str | None = "ok") -> None:
        self.connection, self.status = connection, status
        self.heard: list[tuple[str, Any]] = []
        subscribed: list[int] = []
        connection.client.on_message = self._on_message
        connection.client.on_subscribe = lambda _client, _userdata, mid, _reasons, _properties: subscribed.append(mid)
        connection.client.subscribe(f"devices/{connection.account.key}/down/#", qos=1)
        eventually(lambda: subscribed)

    def _on_message(self, _client: Any, _userdata: Any, message: Any) -> None:
        body = json.loads(message.payload)
        self.heard.append((message.topic, body))
        parts = message.topic.split("/")
        if self.status and parts[3] == "commands":
            answer = (
                {"status": self.status, "result": {"did": body["name"]}} if self.status == "ok" else {"status": "error", "error": "stuck"}
            )
            self.connection.publish(self.connection.account.topic("commands", parts[4], "reply"), answer)

    def commands(self) -> list[Any]:
        return [body for topic, body in self.heard if "/commands/" in topic]


@pytest.fixture(scope="module")
def product(platform: Platform) -> str:
    return platform.product(thing_model=WITH_COMMANDS)


def send(platform: Platform, account: Account, body: dict[str, Any], wait: float = 5, status: int = 201) -> Any:
    return platform.post(f"devices/{account.key}/commands/?wait={wait}", body, status)


def state(platform: Platform, account: Account, command: Any) -> str:
    return str(platform.get(f"devices/{account.key}/commands/{command['id']}/")["state"])


def test_a_command_succeeds_while_the_request_waits_for_it(platform: Platform, product: str) -> None:
    account = platform.device(product)
    with platform.connect(account) as connection:
        device = Obedient(connection)
        done = send(platform, account, {"name": "set-level", "params": {"level": 40}})

    assert (done["state"], done["result"]) == ("succeeded", {"did": "set-level"})
    assert [step["state"] for step in done["history"]] == ["queued", "sent", "succeeded"]
    topic, body = device.heard[0]
    assert topic == f"devices/{account.key}/down/commands/{done['id']}"
    assert body["name"] == "set-level" and body["params"] == {"level": 40} and body["expires_at"] > 1.7e12


def test_a_device_that_refuses_makes_it_fail_with_its_words(platform: Platform, product: str) -> None:
    account = platform.device(product)
    with platform.connect(account) as connection:
        Obedient(connection, status="error")
        done = send(platform, account, {"name": "reboot"})

    assert (done["state"], done["reason"], done["error"]) == ("failed", "device_error", "stuck")


def test_a_device_that_is_silent_makes_it_time_out(platform: Platform, product: str) -> None:
    account = platform.device(product)
    with platform.connect(account) as connection:
        device = Obedient(connection, status=None)
        done = send(platform, account, {"name": "reboot", "timeout": 0.5})

    assert (done["state"], done["reason"]) == ("timed_out", "no_reply")
    assert len(device.commands()) == 1


def test_a_command_waits_for_its_device_and_goes_when_it_comes(platform: Platform, product: str) -> None:
    account = platform.device(product)
    made = [platform.post(f"devices/{account.key}/commands/", {"name": "set-level", "params": {"level": n}}, 202) for n in range(3)]
    assert {each["state"] for each in made} == {"queued"}

    with platform.connect(account) as connection:
        device = Obedient(connection)
        eventually(lambda: state(platform, account, made[-1]) == "succeeded")

    assert [body["params"]["level"] for body in device.commands()] == [0, 1, 2]


def test_a_command_that_nobody_fetches_expires(platform: Platform, product: str) -> None:
    account = platform.device(product)
    done = send(platform, account, {"name": "reboot", "expires_in": 0.5})

    assert (done["state"], done["reason"]) == ("expired", "not_sent")


def test_the_websocket_follows_a_command(platform: Platform, product: str) -> None:
    account = platform.device(product)
    token = platform.http.headers["Authorization"].partition(" ")[2]
    address = f"{platform.services.url.replace('http', 'ws')}/ws/live/?tenant=default"
    with platform.connect(account) as connection, connect(address, subprotocols=[f"bearer.{token}"]) as live:  # type: ignore[list-item]
        live.send(json.dumps({"subscribe": {"commands": True}}))
        live.recv(timeout=10)
        Obedient(connection)
        made = platform.post(f"devices/{account.key}/commands/", {"name": "reboot"}, 202)
        seen: list[str] = []
        while not seen or seen[-1] != "succeeded":
            message = json.loads(live.recv(timeout=10))
            if message["type"] == "command" and message["data"]["id"] == made["id"]:
                seen.append(message["data"]["state"])

    assert seen[-2:] == ["sent", "succeeded"]
