"""Rules about commands, rules that change shadows, and circles of rules that go over both."""

from collections.abc import Collection
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from devices.downlink import commands, shadow
from devices.downlink.sweep import sweep as sweep_commands
from devices.messages import Uplink
from devices.models import Command
from iotpanel.tenants.models import Tenant, User
from rules import command_changes, trace
from rules.actions.alarm import AlarmAction
from rules.derived import Happening
from rules.models import Alarm, Rule, SceneRun
from rules.rules import run_scene, update_rule
from rules.sweeps import sweep
from telemetry.uplink.memory import memory
from telemetry.uplink.pipeline import process
from tests.make import make_command, make_device, make_product
from tests.rest import Rest, refused
from tests.rules.make import MODEL, T0, make_freezer, make_rule, say

pytestmark = pytest.mark.django_db
SET_FAN = {"kind": "command", "name": "set_fan", "params": {"speed": 1}}
UNDONE = {"kind": "command", "name": "set_fan"}


def reply(command: Command, body: bytes) -> None:
    Command.objects.filter(pk=command.pk).update(attempts=1, in_flight=True, state="sent")
    process([Uplink(f"devices/{command.device.key}/up/commands/{command.pk}/reply", body, T0)])


def messages() -> list[str]:
    return list(Alarm.objects.order_by("pk").values_list("message", flat=True))


def test_a_command_that_fails_or_is_not_answered_fires(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant, trigger=UNDONE, when=None, actions=[{"kind": "alarm", "message": "{command} {state}: {error}, speed {speed}"}])
    first = commands.send(freezer, name="set_fan", params={"speed": 3})
    reply(first, b'{"status": "error", "error": "jammed"}')
    assert messages() == ["set_fan failed: jammed, speed 3"]
    Alarm.objects.all().delete()
    late = commands.send(freezer, name="set_fan", params={"speed": 4})
    Command.objects.filter(pk=late.pk).update(attempts=1, in_flight=True, state="sent", due_at=timezone.now())
    sweep_commands(timezone.now())
    assert messages() == ["set_fan timed_out: The device did not reply in time., speed 4"]


def test_a_worker_that_saw_no_rule_sees_the_one_that_is_made(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    memory().lasting = True
    try:
        reply(commands.send(freezer, name="set_fan"), b'{"status": "error"}')
        make_rule(tenant, trigger=UNDONE, when=None)
        reply(commands.send(freezer, name="set_fan"), b'{"status": "error"}')
        assert Alarm.objects.count() == 1
    finally:
        memory().lasting = False


def test_only_the_named_command_and_state_count(tenant: Tenant, other_tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    foreign = make_device(other_tenant, key="foreign", product=make_product(other_tenant, key="freezers", thing_model=MODEL))
    make_rule(tenant, name="done", trigger={**UNDONE, "states": ["succeeded"]}, when={"param": "result", "op": "=", "value": "fast"})
    make_rule(tenant, name="any", trigger="command", when=None)
    make_rule(tenant, name="queued", trigger={"kind": "command", "states": ["queued"]}, when=None)
    reply(commands.send(foreign, name="set_fan"), b'{"status": "error"}')
    assert not Alarm.objects.exists()
    command = commands.send(freezer, name="set_fan")
    reply(command, b'{"status": "received"}')
    reply(command, b'{"status": "ok", "result": "fast"}')
    assert list(Alarm.objects.order_by("pk").values_list("rule_name", flat=True)) == ["queued", "done"]


def test_a_worker_asks_for_the_rules_of_a_tenant_once_until_something_changes(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[int]] = []

    def read(ids: Collection[int]) -> dict[int, set[tuple[str, str]]]:
        asked.append(set(ids))
        return {}

    monkeypatch.setattr(command_changes, "_read", read)
    monkeypatch.setattr(memory(), "lasting", True)
    for _ in range(3):
        assert not command_changes._wanted({tenant.pk})[tenant.pk]
    assert asked == [{tenant.pk}]
    memory().directory.forget()
    command_changes._wanted({tenant.pk})
    assert len(asked) == 2


def test_changes_that_no_rule_asks_for_cost_the_rules_nothing(tenant: Tenant) -> None:
    """A job of ten thousand commands goes through five states each."""
    freezer = make_freezer(tenant)
    make_rule(tenant, trigger=UNDONE, when=None)
    with mock.patch("rules.engine.Engine.run") as run:
        reply(commands.send(freezer, name="set_fan"), b'{"status": "ok"}')
        reply(commands.send(freezer, name="set_fan"), b'{"status": "error"}')
    looked = [thing for call in run.call_args_list for thing in call.args[0] if isinstance(thing, Happening)]
    assert [thing.params["state"] for thing in looked] == ["failed"]


def test_a_schedule_says_where_it_ran_on_some_only(
    tenant: Tenant, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    for key in ("one", "two", "three"):
        make_freezer(tenant, key)
    rule = make_rule(tenant, trigger="scene", when=None)
    with mock.patch("rules.sweeps.MOST_DEVICES", 2), mock.patch.object(trace, "keep") as keep:
        with django_capture_on_commit_callbacks(execute=True):
            assert run_scene(rule) == 2
    assert "It ran on the first 2 of its devices only." in kept_texts(keep)


def test_a_parameter_cannot_pass_itself_off_as_the_state(tenant: Tenant) -> None:
    product = make_product(
        tenant,
        key="freezers",
        thing_model={"commands": [{"key": "go", "name": "Go", "params": [{"key": "state", "name": "S", "type": "text"}]}]},
    )
    device = make_device(tenant, key="freezer", product=product)
    make_rule(tenant, trigger={"kind": "command", "states": ["failed"]}, when=None)
    commands.send(device, name="go", params={"state": "failed"})
    assert not Alarm.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"trigger": {"kind": "command", "name": "fly"}}, "trigger.name"),
        ({"trigger": {"kind": "command", "states": ["lost"]}}, "trigger.states"),
        ({"trigger": {"kind": "command", "states": []}}, "trigger.states"),
        ({"trigger": {"kind": "command", "changes": ["raised"]}}, "trigger.changes"),
        ({"trigger": "command", "for": "5m"}, "for"),
        ({"actions": [{"kind": "shadow"}]}, "actions.0"),
        ({"actions": [{"kind": "shadow", "desired": {}}]}, "actions.0.desired"),
        ({"actions": [{"kind": "shadow", "desired": ["fan"]}]}, "actions.0.desired"),
        ({"actions": [{"kind": "shadow", "desired": {"fan": 1}, "device": "foreign"}]}, "actions.0.device"),
        (
            {"actions": [{"kind": "shadow", "desired": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": 1}}}}}}}}}}]},
            "actions.0.desired",
        ),
        ({"actions": [{"kind": "shadow", "desired": {"text": "nul \0"}}]}, "actions"),
    ],
)
def test_what_is_wrong_is_refused_with_its_field(
    owner: User, tenant: Tenant, other_tenant: Tenant, changes: dict[str, Any], field: str
) -> None:
    make_freezer(tenant)
    make_device(other_tenant, key="foreign", product=make_product(other_tenant))
    body = {"name": "x", "scope": {"product": "freezers"}, "actions": [{"kind": "alarm"}], **changes}
    answer = Rest(owner).post("rules/", body)
    assert any(name.startswith(field) for name in refused(answer, 400, "invalid")), answer.content
    assert not Rule.objects.exists()


def test_a_rule_changes_the_shadow_of_its_device_or_of_another(tenant: Tenant) -> None:
    freezer, other = make_freezer(tenant), make_freezer(tenant, "other")
    shadow.patch_desired(other, {"mode": "eco", "fan": {"speed": 1, "since": "monday"}})
    desired = {"fan": {"speed": "{temperature}", "since": None}, "note": "{device} is at {temperature}"}
    own, foreign = {"kind": "shadow", "desired": {"cool": True}}, {"kind": "shadow", "desired": desired, "device": "other"}
    make_rule(tenant, scope={"devices": ["freezer"]}, actions=[own, foreign])
    say(freezer, 0, temperature=9)
    assert shadow.read(freezer).desired == {"cool": True}
    assert shadow.read(other).desired == {"mode": "eco", "fan": {"speed": 9}, "note": "freezer is at 9"}


def test_a_patch_that_is_refused_later_costs_itself_only(
    tenant: Tenant, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant, actions=[{"kind": "shadow", "desired": {"text": "x" * 900}}, {"kind": "alarm"}])
    with mock.patch.object(shadow, "MAX_BYTES", 100), mock.patch.object(trace, "keep") as keep:
        with django_capture_on_commit_callbacks(execute=True):
            say(freezer, 0, temperature=9)
    assert shadow.read(freezer).desired == {}
    assert Alarm.objects.count() == 1
    assert any("shadow: " in note.entry.get("text", "") for call in keep.call_args_list for note in call.args[0])


def kept_texts(keep: mock.Mock) -> list[str]:
    return [note.entry["text"] for call in keep.call_args_list for note in call.args[0] if "text" in note.entry]


def test_rules_that_command_each_other_come_to_an_end(
    tenant: Tenant, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant, trigger={"kind": "command", "states": ["queued"]}, when=None, actions=[SET_FAN])
    with mock.patch.object(trace, "keep") as keep, django_capture_on_commit_callbacks(execute=True):
        commands.send(freezer, name="set_fan", params={"speed": 1})
    assert [command.hops for command in Command.objects.order_by("pk")] == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert kept_texts(keep) == ["A loop was cut: rules had led to each other 8 times."]


def test_the_count_goes_on_where_a_device_answers(tenant: Tenant) -> None:
    """A command's reply comes in a message of its own: the number is in the command's row."""
    freezer = make_freezer(tenant)
    make_rule(tenant, trigger="command", when=None, actions=[SET_FAN])
    command = commands.send(freezer, name="set_fan", params={"speed": 1}, hops=6)
    for _ in range(4):
        newest = Command.objects.latest("pk")
        if newest.state == "queued":
            reply(newest, b'{"status": "error"}')
    assert [each.hops for each in Command.objects.filter(pk__gte=command.pk).order_by("pk")] == [6, 7, 8]


def test_the_count_goes_on_over_a_scenes_pause(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    steps = [{"wait": "1h"}, SET_FAN]
    make_rule(tenant, trigger={"kind": "command", "states": ["queued"]}, when=None, actions=[{"kind": "scene", "steps": steps}])
    make_rule(tenant, actions=[SET_FAN])
    say(freezer, 0, temperature=9)
    for _ in range(3):
        SceneRun.objects.update(due_at=timezone.now())
        sweep(None)
    assert [command.hops for command in Command.objects.order_by("pk")] == [1, 2, 3, 4]


def test_a_rule_about_commands_that_is_changed_no_longer_looks_at_them(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    rule = make_rule(tenant, trigger={"kind": "command", "states": ["queued"]}, when=None)
    update_rule(rule, body={**rule.body, "trigger": "scene"})
    make_command(freezer, name="set_fan")
    assert not Alarm.objects.exists()
    assert Rule.objects.get().trigger == "scene"


# --- What fails later -------------------------------------------------------------------------------------------


def failing(original: Any, name: str) -> Any:
    """An action that fails for the rules of this name, after it has done its work."""

    def run(self: Any, firings: Any) -> None:
        original(self, firings)
        if firings[0].rule_name == name:
            raise ZeroDivisionError("by design")

    return mock.patch.object(AlarmAction, "run", run)


def test_a_scene_that_fails_ends_alone_and_leaves_nothing_behind(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    scene = {"kind": "scene", "steps": [{"wait": "1h"}, {"kind": "alarm"}]}
    bad, good = make_rule(tenant, name="bad", actions=[scene]), make_rule(tenant, name="good", actions=[scene])
    make_rule(tenant, name="follows", trigger="alarm", when=None, actions=[{"kind": "alarm", "message": "after {rule}"}])
    say(freezer, 0, temperature=9)
    SceneRun.objects.update(due_at=timezone.now())
    with failing(AlarmAction.run, "bad"):
        sweep(None)
    assert sorted(Alarm.objects.values_list("rule_name", flat=True)) == ["follows", "good"]
    assert not SceneRun.objects.exists()
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.failures, good.failures) == (1, 0)
    assert bad.last_error == "ZeroDivisionError: by design"


def test_an_escalation_whose_action_fails_escalates_all_the_same(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    levels = [{"after": "5m", "severity": "critical", "actions": [{"kind": "shadow", "desired": {"alarm": True}}, SET_FAN]}]
    rule = make_rule(tenant, actions=[{"kind": "alarm", "severity": "minor", "escalate": levels}])
    say(freezer, 0, temperature=9)
    Alarm.objects.update(escalates_at=timezone.now())
    with mock.patch.object(shadow, "patch_desired", side_effect=ZeroDivisionError("by design")):
        sweep(None)
    alarm = Alarm.objects.get()
    assert (alarm.severity, alarm.level, alarm.escalates_at) == ("critical", 1, None)
    assert Command.objects.count() == 1, "the next action goes ahead"
    rule.refresh_from_db()
    assert (rule.failures, rule.enabled) == (1, True)
