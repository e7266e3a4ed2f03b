"""From a device's message to another system: over MQTT, the outbox and the task worker, also when that is killed."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flows.platform import Platform
from tests.rules.outside.web import Asked, Web
from tests.services import eventually


@pytest.fixture
def web() -> Iterator[Web]:
    with Web.running() as running:
        yield running


@pytest.fixture
def account(platform: Platform) -> Any:
    return platform.device()


@pytest.fixture
def forwarder(platform: Platform, web: Web, account: Any) -> Iterator[dict[str, Any]]:
    body = {"name": f"To {web.port}", "kind": "http", "settings": {"url": web.url}, "scope": {"devices": [account.key]}}
    body["template"] = '{"n": {{ values.n }}, "device": "{{ device.key }}"}'
    made = platform.post("forwarders/", body)
    yield made
    platform.http.delete(f"/api/v1/forwarders/{made['id']}/")


def numbers(web: Web) -> list[Any]:
    return [asked.json["n"] for asked in web.asked]


def say_until_heard(platform: Platform, account: Any, web: Web) -> None:
    """A new forwarder listens within two seconds."""
    with platform.connect(account) as device:

        def heard() -> bool:
            device.say("telemetry", {"n": -1})
            return bool(web.asked)

        eventually(heard, 10)
    eventually(lambda: platform.get("forwarders/")["results"][0]["health"]["waiting"] == 0)
    web.asked.clear()


def test_readings_reach_another_system_in_order(platform: Platform, account: Any, forwarder: dict[str, Any], web: Web) -> None:
    say_until_heard(platform, account, web)
    with platform.connect(account) as device:
        for number in range(20):
            device.say("telemetry", {"n": number})
    eventually(lambda: len(web.asked) == 20)
    assert numbers(web) == list(range(20))
    assert web.asked[0].json["device"] == account.key
    health = eventually(lambda: (found := platform.get(f"forwarders/{forwarder['id']}/")["health"])["waiting"] == 0 and found)
    assert health["state"] == "ok"


def test_a_worker_that_is_killed_between_commit_and_delivery_loses_nothing(
    platform: Platform, account: Any, forwarder: dict[str, Any], web: Web
) -> None:
    say_until_heard(platform, account, web)
    held, go_on = threading.Event(), threading.Event()

    def hold(_: Asked) -> Any:
        held.set()
        go_on.wait(20)
        return 200, b"", {}

    web.answer = hold
    with platform.connect(account) as device:
        for number in range(5):
            device.say("telemetry", {"n": number})
        assert held.wait(10)  # committed, on its way, and not noted as delivered
        platform.services.kill("tasks")
        web.asked.clear()
        web.answer = lambda asked: (200, b"", {})
        go_on.set()
        for number in range(5, 8):
            device.say("telemetry", {"n": number})
    eventually(lambda: set(numbers(web)) >= set(range(8)), 60)
    assert list(dict.fromkeys(numbers(web))) == list(range(8))  # each at least once, and in order
