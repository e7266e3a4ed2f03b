"""From a device's publish to an alarm on REST and on an open connection, on real servers."""

import json
from typing import Any

from tests.flows.platform import Connection, Platform
from tests.flows.test_live import Live, watching
from tests.services import eventually

MODEL = {"properties": [{"key": "temperature", "name": "Temperature", "type": "number"}]}


def make_rule(platform: Platform, product: str, **overrides: Any) -> int:
    body = {
        "name": "Too warm",
        "enabled": True,
        "scope": {"product": product},
        "trigger": "readings",
        "when": {"property": "temperature", "op": ">", "value": 5},
        "actions": [{"kind": "alarm", "severity": "critical", "message": "{device} is at {temperature}"}],
    }
    return int(platform.post("rules/", {**body, **overrides})["id"])


def raised(device: Connection, live: Live) -> dict[str, Any] | None:
    """Be warm, and the alarm if it comes within a moment: the worker may have to be told first that somebody watches."""
    device.say("telemetry", {"temperature": 4})
    device.say("telemetry", {"temperature": 8.5})
    try:
        while True:
            message: dict[str, Any] = json.loads(live.client.recv(timeout=2))
            if message["type"] == "alarm" and message["data"]["device"] == device.account.key and message["data"]["active"]:
                found: dict[str, Any] = message["data"]
                return found
    except TimeoutError:
        return None


def test_a_reading_raises_an_alarm_that_is_seen_at_once_and_acknowledged_and_cleared(platform: Platform) -> None:
    product = platform.product(thing_model=MODEL)
    account = platform.device(product)
    rule = make_rule(platform, product)
    with platform.connect(account) as device, watching(platform, alarms=True) as live:
        heard = eventually(lambda: raised(device, live))
        assert heard is not None
        assert (heard["rule"], heard["severity"], heard["value"]) == (rule, "critical", 8.5)
        assert heard["message"] == f"{account.key} is at 8.5"
        [alarm] = platform.get("alarms/", device=account.key, active=True)["results"]
        assert alarm == heard

        platform.post(f"alarms/{alarm['id']}/acknowledge/", {"text": "on my way"}, status=200)
        assert live.hear(lambda message: message["type"] == "alarm")["data"]["acknowledged"]
        device.say("telemetry", {"temperature": 3})
        over = live.hear(lambda message: message["type"] == "alarm" and not message["data"]["active"])["data"]
        assert (over["id"], over["acknowledged"]) == (alarm["id"], True)
    eventually(lambda: platform.get("alarms/", device=account.key, active=True)["results"] == [])
