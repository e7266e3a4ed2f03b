"""From a device's publish to an alarm on REST and on an open connection, on real servers."""

import json
from typing import Any

from tests.flows.obedient import Obedient
from tests.flows.platform import Connection, Platform
from tests.flows.test_live import Live, watching
from tests.make import WITH_COMMANDS
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


def test_a_command_that_fails_changes_the_shadow_and_one_that_is_not_answered_raises_an_alarm(platform: Platform) -> None:
    """The reply comes in the uplink's batch, the timeout out of the dispatcher: rules look at both, in both of their threads."""
    product = platform.product(thing_model=WITH_COMMANDS)
    account = platform.device(product)
    failed, late = {"kind": "command", "states": ["failed"]}, {"kind": "command", "name": "reboot", "states": ["timed_out"]}
    note = {"kind": "shadow", "desired": {"trouble": "{command}: {error}"}}
    make_rule(platform, product, trigger=failed, when=None, actions=[note])
    make_rule(platform, product, trigger=late, when=None, actions=[{"kind": "alarm", "message": "{command} {state}"}])
    with platform.connect(account) as connection:
        device = Obedient(connection, status="error")
        platform.post(f"devices/{account.key}/commands/?wait=5", {"name": "reboot"}, 201)
        eventually(
            lambda: any(topic.endswith("/down/shadow") and body["delta"] == {"trouble": "reboot: stuck"} for topic, body in device.heard)
        )
        device.status = None
        platform.post(f"devices/{account.key}/commands/?wait=5", {"name": "reboot", "timeout": 0.5}, 201)
        [alarm] = eventually(lambda: platform.get("alarms/", device=account.key, active=True)["results"])
    assert alarm["message"] == "reboot timed_out"
