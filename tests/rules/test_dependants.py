"""Rules that compare with another device look when that one says something."""

from typing import Any
from unittest import mock

import pytest

from iotpanel.tenants.models import Tenant
from rules import dependants, trace
from rules.engine import engine
from rules.models import Alarm
from rules.rules import update_rule
from telemetry import latest
from telemetry.uplink.memory import memory
from tests.make import make_device, make_product
from tests.rules.make import HOT, MODEL, SECOND, T0, make_freezer, make_rule, say

pytestmark = pytest.mark.django_db
WARMER = {**HOT, "value": {"device": "other", "property": "temperature"}}


def raised() -> list[str]:
    return sorted(Alarm.objects.active().values_list("device__key", flat=True))


def test_the_other_ones_reading_raises_and_clears(tenant: Tenant) -> None:
    freezer, other = make_freezer(tenant), make_freezer(tenant, "other")
    make_rule(tenant, scope={"devices": ["freezer"]}, when=WARMER)
    say(other, 0, temperature=8)
    say(freezer, 1, temperature=5)
    assert raised() == []
    say(other, 2, temperature=3)
    assert raised() == ["freezer"]
    assert Alarm.objects.get().value == 5
    say(other, 3, door="open")
    say(other, 4, temperature=9)
    assert raised() == []


def test_in_the_process_that_remembers_it_is_the_same(tenant: Tenant) -> None:
    """Of one that has spoken to us we know everything; of one that speaks to another worker everything is read anew."""
    ours, theirs, other = make_freezer(tenant), make_freezer(tenant, "theirs"), make_freezer(tenant, "other")
    make_rule(tenant, scope={"devices": ["freezer", "theirs"]}, when={"all": [WARMER, average(">", 4)]})
    for second, value in ((0, 6), (1, 4)):
        say(theirs, second, temperature=value)
    memory().lasting = True
    try:
        say(other, 2, temperature=9)
        say(ours, 3, temperature=5)
        memory().lasting = False
        say(theirs, 4, temperature=8)
        memory().lasting = True
        say(other, 5, temperature=1)
        assert raised() == ["freezer", "theirs"]
        assert Alarm.objects.get(device=theirs).value == 8
    finally:
        memory().lasting = False


def average(op: str, value: float) -> dict[str, Any]:
    return {"property": "temperature", "aggregate": "avg", "over": "10m", "op": op, "value": value}


def test_a_hold_counts_from_the_others_reading(tenant: Tenant) -> None:
    freezer, other = make_freezer(tenant), make_freezer(tenant, "other")
    make_rule(tenant, scope={"devices": ["freezer"]}, when=WARMER, **{"for": "5m"})
    say(freezer, 0, temperature=5)
    say(other, 10, temperature=1)
    say(freezer, 200, temperature=5)
    assert raised() == []
    say(other, 311, temperature=2)
    assert raised() == ["freezer"]


def test_a_formula_over_devices_is_reckoned_when_either_speaks(tenant: Tenant) -> None:
    freezer, other = make_freezer(tenant), make_freezer(tenant, "other")
    formula = {"kind": "reading", "property": "computed", "formula": 'temperature + of("other", setpoint)'}
    make_rule(tenant, scope={"devices": ["freezer"]}, when=None, actions=[formula])
    say(freezer, 0, temperature=1)
    say(other, 1, setpoint=10)
    assert latest.read([freezer.pk])[freezer.pk]["computed"] == (11, T0 + SECOND)
    say(freezer, 2, temperature=2)
    assert latest.read([freezer.pk])[freezer.pk]["computed"] == (12, T0 + 2 * SECOND)


def test_two_that_reckon_from_each_other_come_to_an_end(tenant: Tenant) -> None:
    freezer, other = make_freezer(tenant), make_freezer(tenant, "other")
    for own, foreign in (("freezer", "other"), ("other", "freezer")):
        formula = {"kind": "reading", "property": "computed", "formula": f'of("{foreign}", computed) + 1'}
        make_rule(tenant, name=own, scope={"devices": [own]}, when=None, actions=[formula])
    say(freezer, 0, computed=0)
    values = latest.read([freezer.pk, other.pk])
    assert 5 <= values[other.pk]["computed"][0] <= 12


def test_a_foreign_device_of_the_same_key_is_not_meant(tenant: Tenant, other_tenant: Tenant) -> None:
    make_freezer(tenant)
    make_freezer(tenant, "other")
    make_rule(tenant, scope={"devices": ["freezer"]}, when=WARMER)
    stranger = make_device(other_tenant, key="stranger", product=make_product(other_tenant, key="freezers", thing_model=MODEL))
    say(stranger, 0, temperature=-50)
    assert engine().dependants.looks([]) == []
    assert raised() == []


def test_each_device_is_looked_at_once_and_no_more_than_so_many(tenant: Tenant) -> None:
    for key in ("a", "b", "c", "d"):
        say(make_freezer(tenant, key), 0, temperature=5)
    other = make_freezer(tenant, "other")
    rule = make_rule(tenant, when={"all": [HOT | {"value": 4}, {"device": "other", "property": "temperature", "op": "<", "value": 3}]})
    with mock.patch.object(dependants, "MOST_DEVICES", 2), mock.patch.object(trace, "keep") as keep:
        say(other, 1, temperature=1)
        assert raised() == ["a", "b"]
        assert keep.call_args.args[0][0].entry["text"] == dependants.MANY
    update_rule(rule, name="Read anew")
    with mock.patch.object(dependants, "MOST_LOOKS", 3):
        say(other, 2, temperature=2)
        assert raised() == ["a", "b", "c"]
    say(make_freezer(tenant, "e"), 3, temperature=5)
    assert raised() == ["a", "b", "c", "e"], "its own reading has every device looked at"
