"""So many firings a minute: what is beyond is held back, counted and said; and what a rule leaves behind when it ends."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from devices.messages import Uplink
from iotpanel.tenants.models import Tenant, User
from rules import closing, failures, tallies, trace
from rules.alarms import acknowledge
from rules.models import Alarm, AlarmEvent, FiringCount, Rule, RuleState
from rules.quota import Quota
from rules.rules import delete_rule, update_rule
from rules.sweeps import sweep
from telemetry import latest
from telemetry.uplink.pipeline import process
from tests.make import make_device, make_product
from tests.rest import Rest
from tests.rules.make import HOT, MODEL, SECOND, T0, make_freezer, make_rule, say

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=1)


def some_warm_freezers(tenant: Tenant, *keys: str) -> Rule:
    """Freezers, a rule for them, and a reading of each that fires."""
    freezers = [make_freezer(tenant, key) for key in keys]
    rule = make_rule(tenant)
    for freezer in freezers:
        say(freezer, 0, temperature=9)
    return rule


def test_a_bucket_is_filled_anew_over_a_minute(settings: Settings) -> None:
    settings.RULE_FIRINGS_PER_MINUTE = 2
    quota = Quota()
    with mock.patch("rules.quota.time.monotonic", side_effect=[0, 0, 0, 10, 31, 31, 1_000, 1_000, 1_000]):
        assert [quota.allows(1) for _ in range(9)] == [True, True, False, False, True, False, True, True, False]
    assert Quota().allows(2)


def test_what_lasts_is_postponed_and_comes_later(tenant: Tenant, owner: User, settings: Settings) -> None:
    settings.RULE_FIRINGS_PER_MINUTE = 1
    some_warm_freezers(tenant, "one", "two")
    assert [alarm.device.key for alarm in Alarm.objects.all()] == ["one"]
    waiting = RuleState.objects.get(device__key="two")
    assert waiting.phase == 0
    assert waiting.due_at is not None
    limits = Rest(owner).get("rules/limits/").json()
    assert (limits["fired"], limits["postponed"], limits["skipped"], limits["most_firings_per_minute"]) == (1, 1, 0, 1)
    settings.RULE_FIRINGS_PER_MINUTE = 1_000_000
    RuleState.objects.filter(pk=waiting.pk).update(due_at=timezone.now())
    sweep(LONG_AGO)
    assert Alarm.objects.active().count() == 2


def test_a_hold_that_was_over_is_not_waited_for_again(tenant: Tenant, settings: Settings) -> None:
    settings.RULE_FIRINGS_PER_MINUTE = 0
    freezer = make_freezer(tenant)
    make_rule(tenant, **{"for": "5m"})
    say(freezer, 0, temperature=9)
    say(freezer, 301, temperature=9)
    assert not Alarm.objects.exists()
    settings.RULE_FIRINGS_PER_MINUTE = 1_000_000
    say(freezer, 302, temperature=9)
    assert Alarm.objects.count() == 1


def test_what_is_over_at_once_is_skipped_and_said(
    tenant: Tenant, settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    settings.RULE_FIRINGS_PER_MINUTE = 1
    freezer = make_freezer(tenant)
    make_rule(tenant, trigger="event", when=None)
    with mock.patch.object(trace, "keep") as keep, django_capture_on_commit_callbacks(execute=True):
        for second in range(3):
            process([Uplink("devices/freezer/up/events/fell", b'{"params": {"height": 1}}', T0 + second * SECOND)])
    said = [note.entry["text"] for call in keep.call_args_list for note in call.args[0] if "text" in note.entry]
    assert len(said) == 2
    assert said[0].startswith("Skipped: ")
    assert tallies.of_the_last_day(tenant) == {"fired": 1, "postponed": 0, "skipped": 2}
    assert freezer.alarms.count() == 1


def test_one_tenants_storm_is_not_the_others(tenant: Tenant, other_tenant: Tenant, settings: Settings) -> None:
    settings.RULE_FIRINGS_PER_MINUTE = 1
    foreign = make_device(other_tenant, key="foreign", product=make_product(other_tenant, key="freezers", thing_model=MODEL))
    make_rule(other_tenant)
    some_warm_freezers(tenant, "one", "two", "three")
    say(foreign, 0, temperature=9)
    assert Alarm.objects.for_tenant(other_tenant).count() == 1
    assert tallies.of_the_last_day(other_tenant) == {"fired": 1, "postponed": 0, "skipped": 0}


def test_clearing_and_calculated_readings_are_never_held_back(tenant: Tenant, settings: Settings) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant)
    make_rule(tenant, name="sum", when=None, actions=[{"kind": "reading", "property": "computed", "formula": "temperature * 2"}])
    say(freezer, 0, temperature=9)
    settings.RULE_FIRINGS_PER_MINUTE = 0
    say(freezer, 1, temperature=1)
    assert not Alarm.objects.active().exists()
    assert latest.read([freezer.pk])[freezer.pk]["computed"] == (2, T0 + SECOND)


def test_old_counts_go(tenant: Tenant) -> None:
    for days in (1, 9):
        FiringCount.objects.create(tenant=tenant, hour=timezone.now() - timedelta(days=days), fired=1)
    assert tallies.drop_old() == 1


# --- The end of a rule ------------------------------------------------------------------------------------------


def reasons() -> list[str]:
    return list(AlarmEvent.objects.filter(kind="cleared").order_by("pk").values_list("text", flat=True))


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda rule: update_rule(rule, enabled=False), "The rule was switched off."),
        (lambda rule: update_rule(rule, body={**rule.body, "when": {**HOT, "value": 20}}), "The rule was changed."),
        (delete_rule, "The rule was deleted."),
    ],
)
def test_the_alarms_of_a_rule_end_with_it_and_say_why(tenant: Tenant, owner: User, end: Any, reason: str) -> None:
    rule = some_warm_freezers(tenant, "one", "two")
    acknowledge(Alarm.objects.earliest("pk"), by=owner)
    end(rule)
    assert not Alarm.objects.active().exists()
    assert not RuleState.objects.exists()
    assert reasons() == [reason, reason]
    assert Alarm.objects.earliest("pk").acknowledged, "clearing knows nothing of acknowledging"


def test_a_new_name_alone_clears_nothing(tenant: Tenant) -> None:
    rule = some_warm_freezers(tenant, "one")
    update_rule(rule, name="Another name")
    assert Alarm.objects.active().count() == 1


def test_a_rule_that_failed_too_often_leaves_no_alarm_behind(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    make_rule(tenant, when={"any": [HOT, {"lua": "values.nothing.there"}]})
    say(freezer, 0, temperature=9)
    for second in range(1, failures.MOST_FAILURES + 2):
        say(freezer, second, temperature=1)
    assert [alarm.active for alarm in Alarm.objects.all()] == [False]
    assert "codec_error" in reasons()[0]


def test_an_alarm_raised_at_the_very_end_of_its_rule_is_cleared_afterwards(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    rule, other = make_rule(tenant), make_rule(tenant, name="other")
    say(freezer, 0, temperature=9)
    type(rule).objects.filter(pk=rule.pk).update(enabled=False)
    closing.leftovers()
    assert [alarm.rule for alarm in Alarm.objects.active()] == [other]
    assert reasons() == ["The rule was switched off or deleted."]


def test_rules_that_look_at_alarms_hear_of_the_end(tenant: Tenant) -> None:
    freezer = make_freezer(tenant)
    rule, minor = make_rule(tenant), [{"kind": "alarm", "severity": "info"}]
    make_rule(tenant, name="follows", trigger={"kind": "alarm", "changes": ["cleared"], "severities": ["major"]}, when=None, actions=minor)
    say(freezer, 0, temperature=9)
    update_rule(rule, enabled=False)
    assert [alarm.rule_name for alarm in Alarm.objects.active()] == ["follows"]
