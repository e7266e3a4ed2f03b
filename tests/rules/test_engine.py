"""Rules on what devices say: from the batch to the alarm, and what happens without one."""

from datetime import timedelta
from typing import Any
from unittest import mock

import orjson
import pytest
from django.utils import timezone, translation

from devices import presence
from devices.messages import Presence, Uplink
from devices.models import Command
from devices.timestamps import to_datetime
from iotpanel.tenants.models import Tenant, User
from rules import alarms as verbs
from rules import failures
from rules.models import Alarm, AlarmEvent, OutboxItem, Rule, RuleState, SceneRun, Schedule
from rules.mutes import create_maintenance, delete_maintenance
from rules.rotations import create_rotation
from rules.rules import delete_rule, update_rule
from rules.sweeps import sweep
from telemetry import latest
from telemetry.uplink.memory import memory
from telemetry.uplink.pipeline import process
from tests.make import make_device, make_group, make_product
from tests.rules.make import HOT, MODEL, SECOND, T0, make_freezer, make_rule, say

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=1)


def alarms() -> list[tuple[str, bool]]:
    return list(Alarm.objects.order_by("pk").values_list("device__key", "active"))


def test_a_reading_raises_an_alarm_and_another_clears_it(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    rule = make_rule(tenant)
    say(freezer, 0, temperature=4)
    assert alarms() == []
    say(freezer, 1, temperature=6)
    say(freezer, 2, temperature=7)
    assert alarms() == [("freezer", True)]
    say(freezer, 3, temperature=4)
    assert alarms() == [("freezer", False)]
    say(freezer, 4, temperature=9.5)
    assert alarms() == [("freezer", False), ("freezer", True)]
    alarm = Alarm.objects.get(active=True)
    assert (alarm.rule, alarm.severity, alarm.value, alarm.message) == (rule, "major", 9.5, "Too warm: freezer")
    assert RuleState.objects.get().phase == 2


def test_a_rule_concerns_the_devices_of_its_scope_alone(tenant: Tenant, other_tenant: Tenant) -> None:
    hall, cellar = make_group(tenant, key="hall"), make_group(tenant, key="cellar", parent=None)
    corner = make_group(tenant, key="corner", parent=hall)
    inside = make_freezer(tenant, "inside", groups=[corner], labels={"floor": "1"})
    outside = make_freezer(tenant, "outside", groups=[cellar], labels={"floor": "2"})
    foreign = make_device(other_tenant, key="foreign", product=make_product(other_tenant, key="freezers", thing_model=MODEL))
    make_rule(tenant, name="by group", scope={"group": "hall"})
    make_rule(tenant, name="by label", scope={"labels": {"floor": "2"}})
    make_rule(tenant, name="by key", scope={"devices": ["inside"]})
    make_rule(tenant, name="by product", scope={"product": "freezers"})
    for device in (inside, outside, foreign):
        say(device, 0, temperature=9)
    raised = {(alarm.rule_name, alarm.device.key) for alarm in Alarm.objects.select_related("device")}
    assert raised == {
        ("by group", "inside"), ("by label", "outside"), ("by key", "inside"), ("by product", "inside"), ("by product", "outside")
    }  # fmt: skip


def test_what_has_held_for_a_while_is_raised_without_another_reading(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant, **{"for": "5m"})
    say(freezer, 0, temperature=6)
    assert RuleState.objects.get().due_at is not None
    sweep(None)  # while we do not hear everything, nothing is concluded from time alone
    assert alarms() == []
    sweep(LONG_AGO)
    assert alarms() == [("freezer", True)]
    say(freezer, 3_000, temperature=2)
    assert alarms() == [("freezer", False)]
    assert RuleState.objects.get().due_at is None


def test_silence_raises_and_a_word_clears(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant, when={"no_data": "10m"})
    say(freezer, 0, temperature=1)
    sweep(timezone.now())  # we have listened for a moment only
    assert alarms() == []
    RuleState.objects.update(due_at=timezone.now())
    sweep(LONG_AGO)
    assert alarms() == [("freezer", True)]
    say(freezer, 3_500, temperature=1)
    assert alarms() == [("freezer", False)]


def test_a_window_is_read_from_the_store_after_a_restart(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant, when={"property": "temperature", "aggregate": "avg", "over": "10m", "op": ">", "value": 5})
    for at in (0, 60, 120):
        say(freezer, at, temperature=10)
        memory().forget()
    say(freezer, 180, temperature=-4)
    assert alarms() == [("freezer", True)]  # (10 + 10 + 10 - 4) / 4
    memory().forget()
    say(freezer, 240, temperature=-10)
    assert alarms() == [("freezer", False)]


def test_in_the_process_that_remembers_it_is_the_same(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant, when={"times": 2, "within": "10m", "when": HOT})
    memory().lasting = True
    try:
        for at, value in ((0, 6), (60, 4), (120, 7)):
            say(freezer, at, temperature=value)
    finally:
        memory().lasting = False
    assert alarms() == [("freezer", True)]


def test_a_report_that_is_too_old_is_stored_and_not_looked_at(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant)
    say(freezer, 1_000, temperature=1)
    say(freezer, 10, temperature=30)
    assert alarms() == []


def test_another_device_an_attribute_and_the_value_before(tenant: Tenant) -> None:
    freezer, other = make_freezer(tenant), make_freezer(tenant, "other")
    make_rule(tenant, name="warmer", scope={"devices": ["freezer"]}, when={**HOT, "value": {"device": "other", "property": "temperature"}})
    make_rule(tenant, name="limit", when={**HOT, "value": {"attribute": "limit"}})
    make_rule(tenant, name="jump", when={**HOT, "value": {"previous": True, "plus": 3}})
    say(other, 0, temperature=2)
    process([Uplink("devices/freezer/up/attributes", b'{"limit": 8}', T0)])
    say(freezer, 1, temperature=3)
    say(freezer, 2, temperature=9)
    raised = [(alarm.rule_name, alarm.value) for alarm in Alarm.objects.order_by("pk")]
    assert raised == [("warmer", 3), ("limit", 9), ("jump", 9)]


def test_events_attributes_and_presence_are_triggers(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    high = {"param": "height", "op": ">", "value": 1}
    make_rule(tenant, name="fell", trigger={"kind": "event", "name": "fell"}, when=high)
    make_rule(tenant, name="mode", trigger="attributes", when={"attribute": "mode", "op": "=", "value": "service"})
    make_rule(tenant, name="gone", trigger="presence", when={"online": False})
    for height in (0.5, 2):
        process([Uplink("devices/freezer/up/events/fell", b'{"params": {"height": %f}}' % height, T0 + round(height * SECOND))])
    process([Uplink("devices/freezer/up/attributes", b'{"mode": "service"}', T0 + 5 * SECOND)])
    presence.tell_sinks(presence.apply([Presence(freezer.pk, False, T0 + 9 * SECOND, "broker")]))
    assert [alarm.rule_name for alarm in Alarm.objects.order_by("pk")] == ["fell", "mode", "gone"]


def test_a_calculated_reading_is_stored_and_looked_at(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    sum_of_both = {"kind": "reading", "property": "computed", "formula": "temperature * 2 + setpoint"}
    make_rule(tenant, name="sum", when=None, actions=[sum_of_both])
    make_rule(tenant, name="watch", when={"property": "computed", "op": ">", "value": 20})
    say(freezer, 0, temperature=4, setpoint=1)
    say(freezer, 1, temperature=10)
    assert latest.read([freezer.pk])[freezer.pk]["computed"] == (21, T0 + SECOND)
    assert [alarm.rule_name for alarm in Alarm.objects.all()] == ["watch"]


def test_a_loop_is_cut(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    for one, other in (("energy", "computed"), ("computed", "energy")):
        make_rule(tenant, name=one, when=None, actions=[{"kind": "reading", "property": other, "formula": f"{one} + 1"}])
    say(freezer, 0, energy=0)
    assert 5 <= latest.read([freezer.pk])[freezer.pk]["energy"][0] <= 12


def test_a_rule_that_fails_is_switched_off_and_others_go_on(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    bad, good = make_rule(tenant, name="bad", repeat="every"), make_rule(tenant, name="good")

    def fail(firings: Any, **more: Any) -> list[Alarm]:
        if firings[0].rule_name == "bad":
            raise ZeroDivisionError("by design")
        return original(firings, **more)

    original = verbs.raise_for
    with mock.patch("rules.alarms.raise_for", fail):
        for at in range(failures.MOST_FAILURES + 2):
            say(freezer, at, temperature=6)
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.enabled, good.enabled) == (False, True)
    assert (bad.disabled_reason, bad.disabled_about["times"]) == ("failed_often", failures.MOST_FAILURES)
    assert bad.stopped_because == "It failed 10 times within an hour: ZeroDivisionError: by design"
    with translation.override("zh-hans"):
        assert bad.stopped_because == "一小时内失败了 10 次：ZeroDivisionError: by design"
    assert [alarm.rule_name for alarm in Alarm.objects.all()] == ["good"]


def test_maintenance_puts_alarms_on_the_shelf(tenant: Tenant) -> None:
    freezer, other = make_freezer(tenant), make_freezer(tenant, "other")
    make_rule(tenant)
    now = timezone.now()
    end = now + timedelta(hours=1)
    create_maintenance(tenant, name="defrosting", starts_at=now - timedelta(hours=1), ends_at=end, scope={"devices": ["freezer"]})
    for device in (freezer, other):
        say(device, 0, temperature=9)
    assert Alarm.objects.get(device=freezer).shelved_until == end
    assert Alarm.objects.get(device=other).shelved_until is None
    assert [alarm.device for alarm in Alarm.objects.open()] == [other]


def test_a_device_that_sent_what_it_had_kept_and_is_up_to_date_is_silent_as_soon_as_any_other(tenant: Tenant) -> None:
    """How far its clock was behind while it caught up says nothing about later: the alarm would come as much too late."""
    make_freezer(tenant)
    make_rule(tenant, when={"no_data": "15m"})
    now = T0 + 7_200 * SECOND
    for at in (T0, T0 + 60 * SECOND, now, now + SECOND):
        process([Uplink("devices/freezer/up/telemetry", orjson.dumps({"ts": at, "values": {"temperature": 1}}), max(at, now))])
    state = RuleState.objects.get()

    assert state.skew == 0
    assert state.due_at is not None
    assert state.due_at <= to_datetime(now + 900 * SECOND)  # it may look too early, never too late


def test_nobody_is_called_during_maintenance_neither_by_scenes_nor_by_escalations(tenant: Tenant) -> None:
    device, now = make_freezer(tenant), timezone.now()
    other = make_freezer(tenant, key="other")
    call: dict[str, Any] = {"kind": "webhook", "url": "https://example.org/"}
    escalate = [{"after": "1m", "severity": "critical", "actions": [call]}, {"after": "1m", "actions": [call]}]
    make_rule(tenant, actions=[{"kind": "alarm", "escalate": escalate}, {"kind": "scene", "steps": [call, {"wait": "5s"}, call]}])
    window = create_maintenance(
        tenant, name="x", starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=1), scope={"devices": ["freezer"]}
    )
    say(device, 0, temperature=9)
    say(other, 0, temperature=9)
    assert [item.device_id for item in OutboxItem.objects.all()] == [other.pk]  # the scene's first step
    SceneRun.objects.update(due_at=now)
    Alarm.objects.update(escalates_at=now)
    sweep(None)
    assert {item.device_id for item in OutboxItem.objects.all()} == {other.pk}
    assert OutboxItem.objects.count() == 3  # its second step, and its escalation
    mine = Alarm.objects.get(device=device)
    assert (mine.level, mine.escalates_at) == (0, now)

    Alarm.objects.update(shelved_until=None)  # a person takes it off the shelf: it escalates, but the work goes on
    sweep(None)
    mine.refresh_from_db()
    assert (mine.level, mine.severity) == (1, "critical")
    assert not OutboxItem.objects.filter(device_id=device.pk).exists()
    delete_maintenance(window)
    Alarm.objects.filter(pk=mine.pk).update(escalates_at=now)
    sweep(None)
    assert OutboxItem.objects.filter(device_id=device.pk).count() == 1


def test_an_alarm_that_nobody_acknowledges_escalates_to_who_is_on_call(tenant: Tenant, owner: User) -> None:
    freezer = make_freezer(tenant)
    create_rotation(tenant, key="nights", name="Nights", people=["olga"], starts_at=LONG_AGO)
    levels = [{"after": "15m", "severity": "critical", "assign": "nights"}]
    make_rule(tenant, actions=[{"kind": "alarm", "severity": "minor", "escalate": levels}])
    say(freezer, 0, temperature=9)
    alarm = Alarm.objects.get()
    sweep(None)
    assert Alarm.objects.get().severity == "minor"
    Alarm.objects.update(escalates_at=timezone.now())
    sweep(None)
    alarm.refresh_from_db()
    assert (alarm.severity, alarm.level, alarm.assigned_to, alarm.escalates_at) == ("critical", 1, owner, None)
    assert [event.kind for event in AlarmEvent.objects.all()] == ["raised", "escalated"]


def test_a_scene_goes_on_after_its_pause(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    steps = [{"kind": "alarm", "message": "first"}, {"wait": "1h"}, {"kind": "alarm", "message": "second"}]
    make_rule(tenant, actions=[{"kind": "scene", "steps": steps}])
    say(freezer, 0, temperature=9)
    assert [alarm.message for alarm in Alarm.objects.all()] == ["first"]
    Alarm.objects.update(active=False)
    SceneRun.objects.update(due_at=timezone.now())
    sweep(None)
    assert [alarm.message for alarm in Alarm.objects.order_by("pk")] == ["first", "second"]
    assert not SceneRun.objects.exists()


def test_a_schedule_looks_at_all_its_devices(tenant: Tenant) -> None:
    warm, cold = make_freezer(tenant, "warm"), make_freezer(tenant, "cold")
    rule = make_rule(tenant, trigger={"kind": "schedule", "cron": "0 6 * * *", "tz": "Europe/Berlin"})
    say(warm, 0, temperature=9)
    say(cold, 0, temperature=1)
    assert alarms() == []
    Schedule.objects.update(due_at=timezone.now())
    sweep(None)
    assert alarms() == [("warm", True)]
    assert Schedule.objects.get(rule=rule).due_at > timezone.now()


def test_rules_may_look_at_alarms(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant)
    minor = {"kind": "alarm", "severity": "info", "message": "because of {rule}"}
    make_rule(tenant, name="follows", trigger={"kind": "alarm", "severities": ["major"]}, when=None, actions=[minor])
    say(freezer, 0, temperature=9)
    assert [(alarm.rule_name, alarm.severity) for alarm in Alarm.objects.order_by("pk")] == [("Too warm", "major"), ("follows", "info")]


def test_changing_a_rule_begins_anew_and_deleting_keeps_the_history(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    rule = make_rule(tenant)
    say(freezer, 0, temperature=9)
    update_rule(rule, body={**rule.body, "when": {**HOT, "value": 20}})
    assert alarms() == [("freezer", False)]
    say(freezer, 1, temperature=9)
    assert alarms() == [("freezer", False)]
    delete_rule(Rule.objects.get())
    assert Alarm.objects.get().rule_name == "Too warm"
    say(freezer, 2, temperature=30)
    assert not RuleState.objects.exists()


def test_a_rule_that_is_switched_off_does_nothing(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant, enabled=False)
    say(freezer, 0, temperature=9)
    assert alarms() == []


def test_a_rule_sends_a_command_with_the_value_that_it_saw(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    set_fan = {"kind": "command", "name": "set_fan", "params": {"speed": "{temperature}"}, "expires_in": "5m"}
    make_rule(tenant, actions=[set_fan])
    say(freezer, 0, temperature=9)
    command = Command.objects.get()
    assert (command.device, command.name, command.params, command.state, command.hops) == (freezer, "set_fan", {"speed": 9}, "queued", 1)


def test_a_script_decides(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant, when={"lua": "values.temperature > 5 and values.door == 'open'"})
    make_rule(tenant, name="statements", when={"lua": "local sum = 0\nfor _, v in pairs({1, 2}) do sum = sum + v end\nreturn sum == 3"})
    say(freezer, 0, temperature=9, door="shut")
    assert [alarm.rule_name for alarm in Alarm.objects.all()] == ["statements"]
    say(freezer, 1, door="open")
    assert Alarm.objects.count() == 2


def test_a_script_decides_about_an_event_by_its_parameters(tenant: Tenant) -> None:
    make_freezer(tenant)
    make_rule(tenant, trigger={"kind": "event", "name": "fell"}, when={"lua": "params.height > 2 and params.event == 'fell'"})
    process([Uplink("devices/freezer/up/events/fell", b'{"params": {"height": %d}}' % height, T0 + height * SECOND) for height in (1, 2)])
    assert not Alarm.objects.exists()
    process([Uplink("devices/freezer/up/events/fell", b'{"params": {"height": %d}}' % height, T0 + height * SECOND) for height in (3, 1)])
    assert Alarm.objects.count() == 1


def test_a_script_decides_about_an_attribute(tenant: Tenant) -> None:
    make_freezer(tenant)
    make_rule(tenant, trigger="attributes", when={"lua": "fresh.firmware == '2'"})
    for firmware in ("1", "2"):
        process([Uplink("devices/freezer/up/attributes", b'{"firmware": "%s"}' % firmware.encode(), T0)])
        assert Alarm.objects.count() == int(firmware) - 1


def test_a_script_that_fails_is_its_own_rules_trouble(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    bad = make_rule(tenant, name="bad", when={"lua": "values.nothing.there"})
    make_rule(tenant)
    say(freezer, 0, temperature=9)
    bad.refresh_from_db()
    assert bad.failures == 1
    assert "codec_error" in bad.last_error
    assert Alarm.objects.count() == 1
