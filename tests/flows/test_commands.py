"""Commands through the real broker: sent by REST, answered by a device, followed on the WebSocket."""

import json
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.flows.obedient import Obedient
from tests.flows.platform import Account, Platform
from tests.make import WITH_COMMANDS
from tests.services import eventually


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

    # Notices go ahead of each other where a change takes longer to be announced than the answer to come.
    assert seen[-1] == "succeeded"
    assert set(seen) <= {"queued", "sent", "delivered", "succeeded"}


def test_a_shadow_reaches_its_device_on_change_and_on_connect(platform: Platform, product: str) -> None:
    account = platform.device(product)
    path = f"devices/{account.key}/shadow/"
    platform.http.patch(f"/api/v1/{path}", json={"desired": {"level": 4}})
    with platform.connect(account) as connection:
        device = Obedient(connection)
        eventually(lambda: ("shadow", {"delta": {"level": 4}, "version": 1}) in shadows(device))
        connection.say("shadow", {"reported": {"level": 4}, "version": 1})
        eventually(lambda: platform.get(path)["delta"] == {})
        platform.http.patch(f"/api/v1/{path}", json={"desired": {"level": 5}})
        eventually(lambda: shadows(device)[-1] == ("shadow", {"delta": {"level": 5}, "version": 3}))
        connection.say("shadow", {})
        eventually(lambda: shadows(device)[-1][1].get("reported") == {"level": 4})


def shadows(device: Obedient) -> list[tuple[str, Any]]:
    return [(topic.split("/")[3], body) for topic, body in device.heard if topic.endswith("/shadow")] or [("", {})]


def test_a_child_at_any_depth_is_reached_by_the_gateway_that_is_connected(platform: Platform, product: str) -> None:
    gateway = platform.device(product)
    inner = platform.device(product, parent=gateway.key)
    leaf = platform.device(product, parent=inner.key)
    with platform.connect(gateway) as connection:
        device = Obedient(connection, status=None)
        connection.say("gateway/status", {leaf.key: "online"})
        made = platform.post(f"devices/{leaf.key}/commands/", {"name": "reboot"}, 202)
        topic = f"devices/{gateway.key}/down/gateway/{leaf.key}/commands/{made['id']}"
        eventually(lambda: [heard for heard, _ in device.heard] == [topic])
        connection.say(f"gateway/commands/{made['id']}/reply", {leaf.key: {"status": "ok"}})
        eventually(lambda: state(platform, leaf, made) == "succeeded")


def test_a_script_makes_the_bytes(platform: Platform) -> None:
    script = """
        function decode(payload) return {} end
        function encode(command)
          if command.params.level > 50 then error("too much") end
          return string.char(1, command.params.level)
        end
    """
    account = platform.device(platform.product(thing_model=WITH_COMMANDS, codec={"kind": "lua", "script": script}))
    heard: list[tuple[str, bytes]] = []
    with platform.connect(account) as connection:
        connection.client.on_message = lambda _client, _userdata, message: heard.append((message.topic, bytes(message.payload)))
        connection.client.subscribe(f"devices/{account.key}/down/#", qos=1)
        send(platform, account, {"name": "set-level", "params": {"level": 7}}, wait=0, status=202)
        eventually(lambda: heard == [(f"devices/{account.key}/down/raw", b"\x01\x07")])
        for row in platform.get(f"devices/{account.key}/commands/")["results"]:
            connection.say(f"commands/{row['id']}/reply", {"status": "ok"})
        failed = send(platform, account, {"name": "set-level", "params": {"level": 70}})

    assert (failed["state"], failed["reason"]) == ("failed", "codec_error")
    assert "too much" in failed["error"]


def test_what_nobody_listens_to_is_not_called_sent(platform: Platform, product: str) -> None:
    account = platform.device(product)
    with platform.connect(account) as connection:
        eventually(lambda: platform.is_online(account))
        made = send(platform, account, {"name": "reboot"}, wait=1, status=202)
        assert (made["state"], made["waits"], made["attempts"]) == ("queued", "device", 0)
        Obedient(connection)
        eventually(lambda: state(platform, account, made) == "succeeded")


def test_the_lost_worker_sends_none_twice(platform: Platform, product: str) -> None:
    """Killed again and again while it publishes: every command ends, none came to the device twice."""
    account = platform.device(product)
    with platform.connect(account) as connection:
        device = Obedient(connection)
        made = []
        for number in range(15):
            made.append(
                platform.post(f"devices/{account.key}/commands/", {"name": "set-level", "params": {"level": number}, "timeout": 4}, 202)
            )
            if number in (4, 9):
                kill_worker(platform)
        eventually(lambda: not open_ones(platform, account), 90)

    levels = [body["params"]["level"] for body in device.commands()]
    assert levels == sorted(set(levels))
    assert {state(platform, account, each) for each in made} <= {"succeeded", "timed_out"}


def open_ones(platform: Platform, account: Account) -> list[str]:
    return [row["state"] for row in platform.get(f"devices/{account.key}/commands/")["results"] if not row["final"]]


def kill_worker(platform: Platform) -> None:
    """Kill it, once it is there again after the last time."""
    eventually(lambda: Path(f"/proc/{platform.services.pid('uplink')}").exists(), 60)
    platform.services.kill("uplink")
