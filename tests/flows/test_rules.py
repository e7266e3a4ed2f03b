"""From a device's publish to an alarm on REST and on an open connection, on real servers."""

from typing import Any

from tests.flows.platform import Platform
from tests.flows.test_live import watching
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


def test_a_reading_raises_an_alarm_that_is_seen_at_once_and_acknowledged_and_cleared(platform: Platform) -> None:
    product = platform.product(thing_model=MODEL)
    account = platform.device(product)
    rule = make_rule(platform, product)
    with platform.connect(account) as device, watching(platform, alarms=True) as live:
        device.say("telemetry", {"temperature": 4})
        device.say("telemetry", {"temperature": 8.5})
        heard = live.hear(lambda message: message["type"] == "alarm" and message["data"]["device"] == account.key)["data"]
        assert (heard["rule"], heard["severity"], heard["active"], heard["value"]) == (rule, "critical", True, 8.5)
        assert heard["message"] == f"{account.key} is at 8.5"
        [alarm] = platform.get("alarms/", device=account.key, active=True)["results"]
        assert alarm == heard

        platform.post(f"alarms/{alarm['id']}/acknowledge/", {"text": "on my way"}, status=200)
        assert live.hear(lambda message: message["type"] == "alarm")["data"]["acknowledged"]
        device.say("telemetry", {"temperature": 3})
        over = live.hear(lambda message: message["type"] == "alarm")["data"]
        assert (over["active"], over["acknowledged"]) == (False, True)
    eventually(lambda: platform.get("alarms/", device=account.key, active=True)["results"] == [])
