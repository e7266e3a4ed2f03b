"""From a device's publish to an alarm on REST and on an open connection, on real servers."""

import json
from typing import Any

from tests.flows.obedient import Obedient
from tests.flows.platform import Connection, Platform
from tests.flows.test_live import Live, watching
from tests.make import WITH_COMMANDS
from tests.rules.outside.web import Web
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


def test_one_rule_does_everything_that_a_rule_can_do(platform: Platform) -> None:
    """Each kind of action, and what comes of it on the other side: device, shadow, store, page, web server."""
    model = WITH_COMMANDS | {"properties": [{"key": "n", "type": "number"}, {"key": "double", "type": "number"}]}
    product = platform.product(thing_model=model)
    account = platform.device(product)
    topic = f"devices/{account.key}/down/"
    with Web.running() as web, platform.connect(account) as connection:
        device = Obedient(connection)
        channel = platform.post("channels/", {"name": product, "kind": "inpage", "group_wait": 0, "group_interval": 0})["id"]
        sent_on = {"name": product, "kind": "http", "stream": "", "settings": {"url": f"{web.url}/forwarder"}}
        forwarder = platform.post("forwarders/", sent_on)["id"]
        actions = [
            {"kind": "alarm", "severity": "critical", "message": "At {n}"},
            {"kind": "command", "name": "set-level", "params": {"level": "{n}"}},
            {"kind": "shadow", "desired": {"seen": "{n}"}},
            {"kind": "reading", "property": "double", "formula": "n * 2"},
            {"kind": "notify", "channel": channel},
            {"kind": "forward", "forwarder": forwarder},
            {"kind": "webhook", "url": f"{web.url}/hook", "template": '{"n": {{ values.n }}, "how": {{ alarm.severity }}}'},
            {"kind": "mqtt", "topic": "devices/{{ device.key }}/down/lamp", "template": '{"on": true}'},
            {"kind": "scene", "steps": [{"kind": "mqtt", "topic": "devices/{{ device.key }}/down/scene", "template": "[1]"}]},
        ]
        rule = make_rule(platform, product, when={"property": "n", "op": ">", "value": 5}, actions=actions)
        connection.say("telemetry", {"n": 8})

        [alarm] = eventually(lambda: platform.get("alarms/", device=account.key, active=True)["results"])
        eventually(lambda: {f"{topic}lamp", f"{topic}scene"} <= {heard for heard, _ in device.heard})
        eventually(lambda: [command["params"] for command in device.commands()] == [{"level": 8}])
        eventually(lambda: any(body["delta"] == {"seen": 8} for heard, body in device.heard if heard == f"{topic}shadow"))
        eventually(lambda: platform.latest(account).get("double") == 16)
        eventually(lambda: len(web.asked) == 2)
        said = {asked.path: asked.json for asked in web.asked}
        assert said["/hook"] == {"n": 8, "how": "critical"}
        assert (said["/forwarder"]["rule"]["id"], said["/forwarder"]["device"]) == (rule, account.key)
        told = eventually(lambda: [each for each in platform.get("notices/")["results"] if f"/alarms/{alarm['id']}/" in each["text"]])
        assert [each["title"] for each in told] == ["[CRITICAL] At 8"]
        outside = {each["kind"]: each["health"]["state"] for each in platform.get(f"rules/{rule}/outside/")}
        assert outside == {"webhook": "ok", "mqtt": "ok"}
        refused = platform.http.delete(f"/api/v1/forwarders/{forwarder}/")
        assert refused.json()["code"] == "in_use"
        platform.http.delete(f"/api/v1/rules/{rule}/")
        assert platform.http.delete(f"/api/v1/forwarders/{forwarder}/").status_code == 204
