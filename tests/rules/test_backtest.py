"""Rules over the past: what the store has is tried with the code that runs live. See test_backtest_standing for attributes and presence."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from devices.downlink import commands
from devices.messages import Uplink
from devices.models import Command
from devices.timestamps import to_datetime
from iotpanel.tenants.models import Tenant, User
from rules import backtest, history
from rules.models import Alarm, AlarmEvent
from rules.rules import checked
from telemetry.uplink.pipeline import process
from tests.rest import Rest, refused
from tests.rules.make import HOT, SECOND, T0, make_freezer, make_rule, say

pytestmark = pytest.mark.django_db
ALARM = [{"kind": "alarm"}]
WARMER = {**HOT, "value": {"device": "other", "property": "temperature"}}


def tried(tenant: Tenant, **body: Any) -> dict[str, Any]:
    whole = {"scope": {"product": "freezers"}, "actions": ALARM} | body
    rule = checked(tenant, whole)
    return backtest.Backtest(rule, tenant, T0, T0 + 3_600 * SECOND).run()


def moments(answer: dict[str, Any]) -> list[tuple[str, float]]:
    return [(firing["change"], (firing["ts"] - T0 / 1000) / 1000) for firing in answer["firings"]]


def test_a_script_over_readings(tenant: Tenant) -> None:
    """It knows what was said before the time that is tried, and values that came in other reports."""
    freezer = make_freezer(tenant)
    say(freezer, -60, door="open")
    for second, value in ((0, 4), (10, 6), (20, 3)):
        say(freezer, second, temperature=value)
    say(freezer, 30, door="shut")
    say(freezer, 40, temperature=9)
    with mock.patch.object(backtest, "SCRIPTED", 2):
        answer = tried(tenant, when={"lua": "values.temperature > 5 and values.door == 'open'"})
    assert moments(answer) == [("raised", 10), ("cleared", 20)]
    assert (answer["stopped"], answer["assumed"]) == ("", [])


def test_a_script_that_fails_says_where(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    say(freezer, 0, temperature=4)
    answer = tried(tenant, when={"lua": "values.nothing.there"})
    assert answer["firings"] == []
    assert answer["stopped"].startswith("the script failed on freezer at 20")
    assert "nothing" in answer["stopped"]


def test_a_script_over_events(tenant: Tenant) -> None:
    make_freezer(tenant)
    for second, height in ((0, 1), (10, 3)):
        process([Uplink("devices/freezer/up/events/fell", b'{"params": {"height": %d}}' % height, T0 + second * SECOND)])
    answer = tried(tenant, trigger={"kind": "event", "name": "fell"}, when={"lua": "params.height > 2"})
    assert len(answer["firings"]) == 1


def test_readings_of_another_device_have_it_look(tenant: Tenant) -> None:
    freezer, other = make_freezer(tenant), make_freezer(tenant, "other")
    make_rule(tenant, scope={"devices": ["freezer"]}, when=WARMER)
    say(other, -10, temperature=8)
    for device, second, value in ((freezer, 1, 5), (other, 2, 3), (other, 4, 9)):
        say(device, second, temperature=value)
    answer = tried(tenant, scope={"devices": ["freezer"]}, when=WARMER)
    assert moments(answer) == [("raised", 2), ("cleared", 4)]
    live = AlarmEvent.objects.order_by("pk").values_list("kind", flat=True)
    assert list(live) == ["raised", "cleared"]


def test_an_event_sees_the_values_of_its_own_time(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    for second, value in ((0, 9), (20, 1), (40, 9)):
        say(freezer, second, temperature=value)
        body = b'{"ts": %d, "params": {"height": 2}}' % ((T0 + (second + 5) * SECOND) // 1000)
        process([Uplink("devices/freezer/up/events/fell", body, T0 + (second + 5) * SECOND)])
    answer = tried(tenant, trigger={"kind": "event", "name": "fell"}, when={"all": [HOT, {"param": "height", "op": ">", "value": 1}]})
    assert moments(answer) == [("raised", 5), ("raised", 45)]


def test_alarms_of_the_past(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant)
    for second, value in ((0, 9), (10, 1), (20, 9)):
        say(freezer, second, temperature=value)
    for number, event in enumerate(AlarmEvent.objects.order_by("pk")):
        AlarmEvent.objects.filter(pk=event.pk).update(at=to_datetime(T0) + timedelta(seconds=number * 10))
    cleared = {"kind": "alarm", "changes": ["cleared"], "severities": ["major"]}
    answer = tried(tenant, trigger=cleared)
    assert moments(answer) == [("raised", 10)]
    assert answer["firings"][0]["values"]["rule"] == "Too warm"
    assert answer["assumed"] == []
    assert moments(tried(tenant, trigger="alarm")) == [("raised", 0), ("raised", 20)]
    assert moments(tried(tenant, trigger={**cleared, "severities": ["critical"]})) == []


def test_commands_of_the_past(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    for speed, state in ((1, "failed"), (2, "succeeded"), (3, "timed_out")):
        command = commands.send(freezer, name="set_fan", params={"speed": speed})
        ts = T0 // 1000 + speed * 1000
        entry = [{"state": "queued", "ts": ts - 500}, {"state": state, "ts": ts, "reason": "no_reply"}]
        times = {"created_at": to_datetime(ts * 1000 - SECOND), "finished_at": to_datetime(ts * 1000)}
        Command.objects.filter(pk=command.pk).update(state=state, history=entry, error="jammed", **times)
    assert moments(tried(tenant, trigger="command")) == [("raised", 1), ("raised", 3)]
    fast = {"all": [{"param": "speed", "op": ">", "value": 2}, {"param": "error", "op": "=", "value": "jammed"}]}
    answer = tried(tenant, trigger={"kind": "command", "name": "set_fan"}, when=fast)
    assert [(firing["values"]["state"], firing["values"]["reason"]) for firing in answer["firings"]] == [("timed_out", "no_reply")]
    assert moments(tried(tenant, trigger={"kind": "command", "states": ["queued"]})) == [("raised", 0.5), ("raised", 1.5), ("raised", 2.5)]


def test_what_a_person_starts_is_refused_with_the_reason(viewer: User, tenant: Tenant) -> None:
    make_freezer(tenant)
    whole = {"name": "x", "scope": {"product": "freezers"}, "actions": ALARM, "trigger": "scene"}
    answer = Rest(viewer).post("rules/backtest/", {"rule": whole, "start": T0 / 1000, "end": T0 / 1000 + 60_000})
    assert "run by hand" in refused(answer, 400, "invalid")["trigger"][0]


def test_it_is_bounded_and_says_so(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    for second in range(5):
        say(freezer, second, temperature=9)
    for name, words in (
        ("MOST_STEPS", "only 3 readings"),
        ("MOST_FIRINGS", "only the first 3 firings"),
        ("MOST_SECONDS", "only what could"),
    ):
        with mock.patch.object(backtest, name, 3 if name != "MOST_SECONDS" else -1.0):
            assert tried(tenant, when=HOT, repeat="every")["stopped"].startswith(words)
    assert history.MOST_STEPS == 200_000
    assert not Alarm.objects.exists()
