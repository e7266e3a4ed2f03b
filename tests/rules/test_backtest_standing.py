"""Attributes and presence over the past: a back-test finds what the live engine did on the same data, and says what it does not know."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone

from devices.messages import Uplink
from devices.models import Device, PresenceChange
from devices.timestamps import to_datetime, to_microseconds
from iotpanel.tenants.models import Tenant, User
from rules import backtest
from rules.models import Alarm, AlarmEvent, RuleState
from rules.rules import checked
from rules.sweeps import sweep
from telemetry.attributes import set_server
from telemetry.models.attribute import Scope
from telemetry.uplink.pipeline import process
from tests.rest import Rest
from tests.rules.make import HOT, SECOND, T0, make_freezer, make_rule, say

pytestmark = pytest.mark.django_db
HOUR = 3_600
Changes = list[tuple[str, float]]


def tell(device: Device, second: float, **values: Any) -> None:
    """Attributes that the device reports."""
    at = T0 + round(second * SECOND)
    process([Uplink(f"devices/{device.key}/up/attributes", orjson.dumps({"ts": at, "values": values}), at)])


def status(device: Device, second: float, word: str) -> None:
    process([Uplink(f"devices/{device.key}/up/status", word.encode(), T0 + round(second * SECOND))])


def tried(tenant: Tenant, **body: Any) -> dict[str, Any]:
    whole = {"scope": {"product": "freezers"}, "actions": [{"kind": "alarm"}]} | body
    return backtest.Backtest(checked(tenant, whole), tenant, T0, T0 + HOUR * SECOND).run()


def moments(answer: dict[str, Any]) -> Changes:
    return [(firing["change"], round((firing["ts"] - T0 / 1000) / 1000, 3)) for firing in answer["firings"]]


def lived(name: str) -> Changes:
    """What a rule did live, on the devices' clock."""
    found: Changes = []
    for alarm in Alarm.objects.filter(rule_name=name).order_by("pk"):
        for change, at in (("raised", alarm.raised_at), ("cleared", alarm.cleared_at)):
            found += [(change, round((to_microseconds(at) - T0) / SECOND, 3))] if at else []
    return found


def known(answer: dict[str, Any], kind: str) -> tuple[Any, Any, int]:
    [found] = [each for each in answer["known"] if each["kind"] == kind]
    first, last = (at and (at - T0 / 1000) / 1000 for at in (found["since"], found["since_all"]))
    return first, last, found["devices_unknown"]


RULES: dict[str, dict[str, Any]] = {
    "mode": {"trigger": "attributes", "when": {"attribute": "mode", "op": "=", "value": "service"}},
    "mode by script": {"trigger": "attributes", "when": {"lua": "attributes.mode == 'service' and fresh.mode ~= nil"}},
    "limit": {"when": {**HOT, "value": {"attribute": "limit"}}},
    "limit by script": {"when": {"lua": "values.temperature > (attributes.limit or 100)"}},
    "here": {"trigger": "presence", "when": {"online": True}},
    "gone and warm": {"trigger": "presence", "when": {"all": [{"online": False}, HOT]}},
    "speaks": {"when": {"all": [{"online": True}, HOT]}},
    "fell in service": {"trigger": {"kind": "event", "name": "fell"}, "when": {"attribute": "mode", "op": "=", "value": "service"}},
}


def live_through(freezer: Device) -> None:
    """A day of a freezer: what it says, what people set, and how it comes and goes."""
    set_server(freezer, scope=Scope.SHARED, values={"limit": 3}, at=to_datetime(T0 - SECOND))
    say(freezer, 0, temperature=4)
    tell(freezer, 10, mode="auto", limit=2)
    say(freezer, 20, temperature=2)
    tell(freezer, 30, mode="service")
    process([Uplink("devices/freezer/up/events/fell", b'{"params": {"height": 2}}', T0 + 35 * SECOND)])
    status(freezer, 40, "offline")
    status(freezer, 50, "online")
    say(freezer, 60, temperature=8)
    set_server(freezer, scope=Scope.SERVER, values={"limit": 9}, at=to_datetime(T0 + 65 * SECOND))
    say(freezer, 70, temperature=8.5)
    tell(freezer, 80, mode="auto")
    status(freezer, 90, "offline")
    set_server(freezer, scope=Scope.SERVER, values={"limit": None}, at=to_datetime(T0 + 95 * SECOND))
    say(freezer, 100, temperature=7)


def test_it_finds_what_the_live_rules_did(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    for name, body in RULES.items():
        make_rule(tenant, name=name, **body)
    live_through(freezer)
    fell = [(change, at) for change, at in lived("fell in service") if change == "raised"]
    assert fell == [("raised", 35)]
    for name, body in RULES.items():
        answer = tried(tenant, **body)
        live = fell if name == "fell in service" else lived(name)
        assert live, name
        assert (name, answer["stopped"], moments(answer)) == (name, "", live)


def test_it_says_since_when_it_knows_and_does_not_guess(tenant: Tenant) -> None:
    freezer, never = make_freezer(tenant), make_freezer(tenant, "never")
    for second in (0, 60, 120):
        say(freezer, second, temperature=9)
    tell(freezer, 90, mode="auto")
    PresenceChange.objects.all().delete()
    answer = tried(tenant, when={"all": [HOT, {"not": {"online": False}}]})
    assert (moments(answer), known(answer, "presence")) == ([], (None, None, 2))
    status(freezer, 100, "offline")
    answer = tried(tenant, when={"all": [HOT, {"online": True}, {"not": {"attribute": "mode", "op": "=", "value": "service"}}]})
    assert moments(answer) == [("raised", 120)]
    assert known(answer, "presence") == (100, 100, 1)
    assert known(answer, "attributes") == (90, 90, 1)
    assert known(answer, "readings") == (0, 0, 1)
    say(never, -5, temperature=1)
    answer = tried(tenant, trigger="presence", when={"online": True})
    assert known(answer, "presence") == (0, 100, 0)
    assert known(tried(tenant, trigger={"kind": "event", "name": "fell"}), "events") == (0, 0, 0)


def test_gone_for_five_minutes(tenant: Tenant) -> None:
    """What has to last is looked at when its time is over, by the presence that held then."""
    freezer = make_freezer(tenant)
    status(freezer, 0, "online")
    status(freezer, 60, "offline")
    status(freezer, 120, "online")
    status(freezer, 300, "offline")
    answer = tried(tenant, trigger="presence", when={"online": False}, **{"for": "5m"})
    assert moments(answer) == [("raised", 600)]
    silent = {"all": [{"no_data": "10m"}, {"online": False}]}
    assert moments(tried(tenant, when=silent)) == []  # it never said a reading
    say(freezer, 400, temperature=1)
    status(freezer, 401, "offline")
    assert moments(tried(tenant, when=silent)) == [("raised", 1000)]


def test_a_schedule_is_no_word_of_the_device(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    say(freezer, 0, temperature=1)
    answer = tried(tenant, trigger={"kind": "schedule", "cron": "* * * * *"}, when={"no_data": "30m"})
    assert len(answer["firings"]) == 30
    assert moments(answer)[0][1] >= 1_800


def test_a_script_is_asked_again_when_its_time_is_over(tenant: Tenant) -> None:
    """It lasts five minutes without another report: live by the sweep, and over the past."""
    freezer = make_freezer(tenant)
    body: dict[str, Any] = {"when": {"lua": "values.temperature > 5"}, "for": "5m"}
    make_rule(tenant, name="script", **body)
    say(freezer, 0, temperature=6)
    assert RuleState.objects.get().due_at is not None
    sweep(timezone.now() - timedelta(days=1))
    assert [change for change, _ in lived("script")] == ["raised"]
    say(freezer, 400, temperature=1)
    assert moments(tried(tenant, **body)) == [("raised", 300), ("cleared", 400)]


def test_what_held_before_the_start_is_known(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    tell(freezer, -100, mode="service")
    status(freezer, -50, "offline")
    tell(freezer, 50, other=1)
    when = {"all": [{"online": True}, {"attribute": "mode", "op": "=", "value": "service"}]}
    answer = tried(tenant, trigger="attributes", when=when)
    assert moments(answer) == [("raised", 50)]
    assert known(answer, "attributes") == (0, 0, 0)
    assert answer["assumed"] == ["attributes that were said again unchanged are not kept, and not looked at"]


def test_alarms_have_the_severity_that_they_had(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    rule = make_rule(tenant)
    say(freezer, 0, temperature=9)
    alarm = Alarm.objects.get(rule=rule)
    AlarmEvent.objects.create(alarm=alarm, at=timezone.now(), kind="escalated", data={"severity": "critical", "level": 1})
    Alarm.objects.update(severity="critical")
    AlarmEvent.objects.filter(kind="raised").update(at=to_datetime(T0 + 5 * SECOND))
    AlarmEvent.objects.filter(kind="escalated").update(at=to_datetime(T0 + 9 * SECOND))
    trigger = {"kind": "alarm", "changes": ["raised", "escalated"]}
    major, critical = (tried(tenant, trigger={**trigger, "severities": [name]}) for name in ("major", "critical"))
    assert (moments(major), moments(critical)) == ([("raised", 5)], [("raised", 9)])
    assert major["assumed"] == []
    AlarmEvent.objects.filter(kind="raised").update(data={})  # as it was before severities were noted
    assert tried(tenant, trigger={**trigger, "severities": ["critical"]})["assumed"] == ["severities of alarms count as they are now"]


def test_the_past_of_another_tenant_is_not_looked_at(tenant: Tenant, other_tenant: Tenant, stranger: User) -> None:
    freezer = make_freezer(tenant)
    status(freezer, 10, "offline")
    make_freezer(other_tenant, "theirs")
    body = {
        "name": "x",
        "scope": {"devices": ["freezer"]},
        "trigger": "presence",
        "when": {"online": False},
        "actions": [{"kind": "alarm"}],
    }
    span = {"start": T0 / 1000, "end": T0 / 1000 + 60_000}
    assert Rest(stranger).post("rules/backtest/", {"rule": body, **span}).status_code == 400
    body["scope"] = {"product": "freezers"}
    answer = Rest(stranger).post("rules/backtest/", {"rule": body, **span}).json()
    assert (answer["devices"], answer["firings"], answer["known"][0]["devices_unknown"]) == (1, [], 1)


@pytest.mark.parametrize("start", [0, 1, -62_000_000_000_000, 253_402_300_000_000, 10**17, "1970-01-01T00:00:00Z", "9999-12-31T00:00:00Z"])
def test_hostile_ranges_are_answered_or_refused(tenant: Tenant, viewer: User, start: Any) -> None:
    status(make_freezer(tenant), 10, "offline")
    mode = {"attribute": "mode", "op": "=", "value": "\u202e'; DROP"}
    body = {"name": "x", "scope": {"product": "freezers"}, "trigger": "presence", "when": {"any": [mode, {"online": False}]}}
    end = start + 60_000 if isinstance(start, int) else start.replace("00:00Z", "01:00Z")
    answer = Rest(viewer).post("rules/backtest/", {"rule": {**body, "actions": [{"kind": "alarm"}]}, "start": start, "end": end})
    assert answer.status_code in (200, 400)
