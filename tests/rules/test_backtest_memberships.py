"""Groups and labels over the past: a device counts for the time in which it was in scope, as it did for the live rule."""

import random
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone
from pytest_django import Settings

from devices import groups, provisioning
from devices.models import Device, Group, GroupChange, LabelChange, TreeChange
from devices.timestamps import to_datetime
from iotpanel.tenants.models import Tenant, User
from rules import backtest, sweeps
from rules.models import OutboxItem
from rules.rules import checked
from tests.make import make_group
from tests.rest import Rest
from tests.rules.make import HOT, SECOND, T0, make_freezer, make_rule, say

pytestmark = pytest.mark.django_db
SPAN = 3_000  # s that are looked at
HALL = {"group": "hall"}
CALL = [{"kind": "webhook", "url": "https://hooks.example.org/", "on": ["raised", "cleared"]}]
LONG_AGO = -86_400.0
Changes = list[tuple[str, float]]


def happened(second: float) -> None:
    """What was noted of memberships since the last time was so many seconds after T0."""
    for model in (LabelChange, GroupChange, TreeChange):
        model.objects.filter(at__gt=to_datetime(T0 + SPAN * SECOND)).update(at=to_datetime(T0 + round(second * SECOND)))


def tried(tenant: Tenant, start: float = 0, /, **body: Any) -> dict[str, Any]:
    whole = {"scope": HALL, "actions": CALL, "when": HOT} | body
    return backtest.Backtest(checked(tenant, whole), tenant, T0 + round(start * SECOND), T0 + SPAN * SECOND).run()


def moments(answer: dict[str, Any], device: str = "freezer") -> Changes:
    return [(firing["change"], firing["ts"] / 1000 - T0 / SECOND) for firing in answer["firings"] if firing["device"] == device]


def known(answer: dict[str, Any]) -> tuple[Any, Any, int]:
    [found] = [each for each in answer["known"] if each["kind"] == "memberships"]
    return *((found[name] / 1000 - T0 / SECOND) for name in ("since", "since_all")), found["devices_unknown"]


@pytest.fixture
def hall(tenant: Tenant) -> Group:
    return make_group(tenant, key="hall")


@pytest.fixture
def freezer(tenant: Tenant, hall: Group) -> Device:
    """It was made long ago, outside of the hall."""
    made = make_freezer(tenant)
    happened(LONG_AGO)
    return made


def test_it_counts_only_while_it_is_in_the_group(tenant: Tenant, hall: Group, freezer: Device) -> None:
    make_freezer(tenant, "never")
    say(freezer, 0, temperature=9)
    provisioning.update_device(freezer, groups=[hall])
    happened(10)
    for second, value in ((20, 9), (30, 1)):
        say(freezer, second, temperature=value)
    provisioning.update_device(freezer, groups=[])
    happened(40)
    say(freezer, 50, temperature=9)
    answer = tried(tenant)
    assert moments(answer) == [("raised", 20), ("cleared", 30)]
    assert (answer["devices"], answer["devices_done"], answer["assumed"]) == (1, 1, [])
    assert known(answer) == (0, 0, 0)
    assert tried(tenant, 45)["devices"] == 0


def test_labels_and_groups_have_to_fit_together(tenant: Tenant, hall: Group, freezer: Device) -> None:
    scope = {**HALL, "labels": {"floor": "1", "kind": "x"}}
    steps: list[tuple[list[Group], dict[str, str]]] = [
        ([hall], {"floor": "1"}),
        ([hall], {"floor": "1", "kind": "x", "more": "y"}),
        ([], {"floor": "1", "kind": "x"}),
        ([hall], {"floor": "2", "kind": "x"}),
        ([hall], {"floor": "1", "kind": "x"}),
    ]
    for number, (some, labels) in enumerate(steps):
        provisioning.update_device(freezer, groups=some, labels=labels)
        happened(number * 10)
        say(freezer, number * 10 + 1, temperature=9)
        say(freezer, number * 10 + 2, temperature=1)
    assert [at for change, at in moments(tried(tenant, scope=scope)) if change == "raised"] == [11, 41]


def test_a_group_that_moves_takes_its_devices_along(tenant: Tenant, hall: Group, freezer: Device) -> None:
    room = make_group(tenant, key="room", parent=hall)
    provisioning.update_device(freezer, groups=[room])
    happened(-10)
    say(freezer, 1, temperature=9)
    groups.update_group(room, parent=make_group(tenant, key="yard"))
    happened(10)
    say(freezer, 11, temperature=1)
    groups.update_group(room, parent=hall)
    happened(20)
    say(freezer, 21, temperature=1)
    assert moments(tried(tenant)) == [("raised", 1), ("cleared", 21)]
    assert moments(tried(tenant, scope={"group": "yard"}, when={**HOT, "op": "<"})) == [("raised", 11)]


def test_a_group_of_the_same_key_that_was_there_before(tenant: Tenant, freezer: Device) -> None:
    old = make_group(tenant, key="shed")
    provisioning.update_device(freezer, groups=[old])
    happened(-10)
    say(freezer, 1, temperature=9)
    groups.delete_group(old)
    happened(10)
    say(freezer, 11, temperature=1)
    make_group(tenant, key="shed")
    happened(20)
    say(freezer, 21, temperature=1)
    assert moments(tried(tenant, scope={"group": "shed"})) == [("raised", 1)]


def test_it_says_since_when_it_knows_and_what_counts_before(tenant: Tenant, hall: Group) -> None:
    """As on a platform that was upgraded: nothing older is noted than how it was then."""
    freezer, new = make_freezer(tenant, groups=[hall]), make_freezer(tenant, "new", groups=[hall])
    Device.objects.filter(pk=freezer.pk).update(created_at=timezone.now() - timedelta(days=30))
    happened(100)
    for second in (0, 110, 210):
        say(freezer, second, temperature=9)
        say(freezer, second + 1, temperature=1)
    provisioning.update_device(freezer, groups=[])
    happened(200)
    answer = tried(tenant)
    assert [at for change, at in moments(answer) if change == "raised"] == [0, 110]
    assert known(answer) == (0, 100, 0)  # the new one's are known for all its life
    assert answer["assumed"] == ["before groups and labels are known, they count as they were first known"]
    assert tried(tenant, 150)["assumed"] == []
    assert new.pk


def test_what_is_older_than_what_is_kept_is_not_known(tenant: Tenant, hall: Group, settings: Settings) -> None:
    settings.CHANGE_DAYS = 10
    freezer = make_freezer(tenant, groups=[hall])
    happened(LONG_AGO * 20)
    say(freezer, 1, temperature=9)
    whole = {"scope": HALL, "actions": CALL, "when": HOT}
    answer = backtest.Backtest(checked(tenant, whole), tenant, T0 - 86_400 * 15 * SECOND, T0 + SPAN * SECOND).run()
    assert moments(answer) == [("raised", 1)]
    assert 4.9 < (known(answer)[0] / 86_400 + 15) < 5.1
    assert len(answer["assumed"]) == 1


def test_what_waits_is_forgotten_when_its_time_comes_outside(tenant: Tenant, hall: Group, freezer: Device) -> None:
    provisioning.update_device(freezer, groups=[hall])
    happened(-10)
    say(freezer, 0, temperature=9)
    for second, some in ((10, []), (20, [hall]), (40, []), (80, [hall])):
        provisioning.update_device(freezer, groups=some)
        happened(second)
    say(freezer, 90, temperature=9)
    assert moments(tried(tenant, **{"for": "30s"})) == [("raised", 30)]
    assert moments(tried(tenant, **{"for": "45s"})) == [("raised", 135)]


def test_the_past_of_another_tenants_groups_is_not_looked_at(
    tenant: Tenant, hall: Group, freezer: Device, other_tenant: Tenant, stranger: User
) -> None:
    provisioning.update_device(freezer, groups=[hall], labels={"floor": "1"})
    happened(0)
    say(freezer, 10, temperature=9)
    make_freezer(other_tenant, "theirs")
    make_group(other_tenant, key="hall")
    body = {"name": "x", "scope": {**HALL, "labels": {"floor": "1"}}, "when": HOT, "actions": CALL}
    span = {"start": T0 / 1000, "end": T0 / 1000 + 60_000}
    answer = Rest(stranger).post("rules/backtest/", {"rule": body, **span}).json()
    assert (answer["devices"], answer["firings"]) == (0, [])
    assert Rest(stranger).post("rules/backtest/", {"rule": {**body, "scope": {"group": "\u202e'; DROP"}}, **span}).status_code == 400


# What is said falls on whole tens of seconds, and times that are over between them.
RULES: dict[str, dict[str, Any]] = {
    "group": {"scope": HALL},
    "labels": {"scope": {"labels": {"floor": "1"}}},
    "both": {"scope": {"product": "freezers", **HALL, "labels": {"floor": "1"}}, "clear": {**HOT, "op": "<", "value": 3}},
    "holds": {"scope": HALL, "for": "25s", "clear_for": "15s"},
    "often": {"scope": HALL, "when": {"times": 2, "within": "45s", "when": HOT}},
    "on average": {"scope": HALL, "when": {**HOT, "aggregate": "avg", "over": "35s"}},
    "calms down": {"scope": HALL, "cooldown": "35s"},
    "changed": {"scope": HALL, "when": {"property": "temperature", "op": ">", "value": {"property": "temperature", "previous": True}}},
    "script": {"scope": HALL, "when": {"lua": "values.temperature > 5"}},
}


def lived(name: str, device: str) -> Changes:
    """What a rule did live, on the device's clock."""
    bodies = [orjson.loads(row.payload["body"]) for row in OutboxItem.objects.filter(kind="webhook").order_by("pk")]
    mine = [each for each in bodies if each["rule"]["name"] == name and each["device"] == device]
    return [(each["change"], each["at"] / SECOND - T0 / SECOND) for each in mine]


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_what_the_live_rules_did(tenant: Tenant, hall: Group, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any course of readings and memberships; times that are over are looked at between them."""
    dice = random.Random(seed)
    yard, room = make_group(tenant, key="yard"), make_group(tenant, key="room", parent=hall)
    devices = [make_freezer(tenant, key, groups=[hall], labels={"floor": "1"}) for key in ("freezer", "other")]
    happened(LONG_AGO)
    for name, body in RULES.items():
        make_rule(tenant, name=name, **{"when": HOT, "actions": CALL, **body})
    for second in range(0, 300, 10):
        for device in devices:
            if dice.random() < 0.3:
                some = dice.sample([hall, yard, room], dice.choice((0, 1, 1, 2)))
                provisioning.update_device(device, groups=some, labels={"floor": dice.choice("112")})
            if dice.random() < 0.1:
                groups.update_group(room, parent=dice.choice((hall, yard, None)))
        happened(second)
        for device in devices:
            if dice.random() < 0.6:
                say(device, second, temperature=dice.choice((1, 4, 6, 9)))
        with monkeypatch.context() as clock:
            clock.setattr(timezone, "now", lambda at=second + 5: to_datetime(T0 + at * SECOND))
            sweeps.sweep(to_datetime(T0 - 86_400 * SECOND))
    fired = 0
    for name, body in RULES.items():
        answer = tried(tenant, **{"when": HOT, **body})
        for device in devices:
            live = lived(name, device.key)
            assert (name, device.key, answer["stopped"], [each for each in moments(answer, device.key) if each[1] <= 295]) == (
                name, device.key, "", live,
            )  # fmt: skip
            fired += len(live)
    assert fired > 30
