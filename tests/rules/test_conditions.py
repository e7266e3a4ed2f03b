"""Conditions: what they say about a device, and what is refused with its path."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.compiled import compile_rule, new_window
from rules.conditions import Needs, compile_condition
from rules.facts import Facts
from rules.leaves import compile_leaf
from rules.problems import BadRule

MINUTE = 60_000_000


def asked(tree: Any, **facts: Any) -> bool | None:
    needs = Needs("1")
    test = compile_condition(tree, "when", needs, compile_leaf)
    about = Facts("freezer")
    about.windows = {key: new_window(key) for key in [*needs.windows, *(counter.window for counter in needs.counters)]}
    for name, value in facts.items():
        setattr(about, name, value)
    return test(about)


def leaf(op: str, value: Any, name: str = "t") -> dict[str, Any]:
    return {"property": name, "op": op, "value": value}


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        (leaf(">", 5), 6, True),
        (leaf(">", 5), 5, False),
        (leaf(">=", 5), 5, True),
        (leaf("<", 5), 4.9, True),
        (leaf("<=", 5), 5.1, False),
        (leaf("=", "open"), "open", True),
        (leaf("!=", "open"), "shut", True),
        (leaf("=", True), True, True),
        (leaf("between", [2, 8]), 8, True),
        (leaf("outside", [2, 8]), 8.5, True),
        (leaf("in", [1, 2, 3]), 2, True),
        (leaf("not in", ["a", "b"]), "c", True),
        (leaf("contains", "fail"), "a failure", True),
        (leaf("matches", "^E[0-9]+$"), "E42", True),
        (leaf("matches", "^E[0-9]+$"), "warm", False),
        (leaf(">", 5), "text where a number should be", None),
        (leaf("matches", "x"), 5, None),
        (leaf("in", [1]), {"a": 1}, None),
    ],
)
def test_comparisons(condition: Any, value: Any, expected: bool | None) -> None:
    assert asked(condition, values={"t": value}) is expected
    assert asked(condition, values={}) is None


def test_compare_with_other_things() -> None:
    assert asked(leaf(">", {"property": "limit"}), values={"t": 6, "limit": 5})
    assert asked(leaf(">", {"attribute": "limit", "plus": 2}), values={"t": 6}, attributes={"limit": 5}) is False
    assert asked(leaf(">", {"device": "other", "property": "t", "times": 2}), values={"t": 6}, others={("other", "t"): 2.5})
    assert asked(leaf(">", {"previous": True, "plus": 3}), values={"t": 6}, previous={"t": 2})
    assert asked(leaf(">", {"device": "other", "property": "t"}), values={"t": 6}) is None


def test_changed_counts_only_where_the_report_says_it() -> None:
    changed = {"property": "t", "op": "changed"}
    assert asked(changed, values={"t": 2}, previous={"t": 1}, fresh={"t": 2})
    assert asked(changed, values={"t": 2}, previous={"t": 2}, fresh={"t": 2}) is False
    assert asked(changed, values={"t": 2}, previous={"t": 1}, fresh={"door": 1}) is False
    assert asked(changed, values={"t": 2}, fresh={"t": 2}) is None


def test_a_circle_and_a_polygon() -> None:
    circle = {"area": {"circle": {"lat": 52.52, "lon": 13.405, "radius": 1_000}}, "op": "outside", "latitude": "lat", "longitude": "lon"}
    assert asked(circle, values={"lat": 52.521, "lon": 13.406}) is False
    assert asked(circle, values={"lat": 52.6, "lon": 13.4})
    square = {"area": {"polygon": [[0, 0], [0, 10], [10, 10], [10, 0]]}, "op": "inside", "property": "place"}
    assert asked(square, values={"place": {"lat": 5, "lon": 5}})
    assert asked(square, values={"place": {"lat": 5, "lon": 15}}) is False
    assert asked(square, values={"place": "nowhere"}) is None
    pacific = {"area": {"polygon": [[-10, 170], [-10, -170], [10, -170], [10, 170]]}, "op": "inside", "property": "place"}
    assert asked(pacific, values={"place": {"lat": 0, "lon": 179}})
    assert asked(pacific, values={"place": {"lat": 0, "lon": -179}})
    assert asked(pacific, values={"place": {"lat": 0, "lon": 0}}) is False


def test_silence_wakes_when_it_would_be_too_long() -> None:
    needs = Needs()
    test = compile_condition({"no_data": "10m"}, "when", needs, compile_leaf)
    facts = Facts()
    assert test(facts) is None
    facts.at = facts.newest = 1_000
    assert test(facts) is False
    assert facts.due == 1_000 + 10 * MINUTE
    facts.at = facts.due
    assert test(facts)
    facts.silent_from = 5 * MINUTE  # we did not listen before
    assert test(facts) is False


KLEENE = st.sampled_from([True, False, None])


@settings(deadline=None)
@given(st.lists(KLEENE, min_size=1, max_size=5))
def test_all_any_and_not_reckon_with_what_is_not_known(answers: list[bool | None]) -> None:
    values = {f"p{n}": answer for n, answer in enumerate(answers) if answer is not None}
    leaves = [{"property": f"p{n}", "op": "=", "value": True} for n in range(len(answers))]
    expected_all = False if False in answers else None if None in answers else True
    expected_any = True if True in answers else None if None in answers else False
    assert asked({"all": leaves}, values=values) is expected_all
    assert asked({"any": leaves}, values=values) is expected_any
    opposite = asked({"not": {"all": leaves}}, values=values)
    assert opposite is (None if expected_all is None else not expected_all)


def refused(**changes: Any) -> str:
    body = {"scope": {"product": "p"}, "when": leaf(">", 5), "actions": [{"kind": "alarm"}]}
    with pytest.raises(BadRule) as caught:
        compile_rule({key: value for key, value in (body | changes).items() if value is not ...})
    return caught.value.path


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"when": leaf(">", "warm")}, "when.value"),
        ({"when": {"all": [leaf(">", 1), {"property": "t"}]}}, "when.all.1.op"),
        ({"when": {"all": []}}, "when.all"),
        ({"when": {"all": [leaf(">", 1)], "any": []}}, "when.any"),
        ({"when": leaf("matches", "(a+")}, "when.value"),
        ({"when": leaf("matches", r"(a)\1")}, "when.value"),
        ({"when": {"property": "t", "aggregate": "avg", "over": "0s", "op": ">", "value": 1}}, "when.over"),
        ({"when": {"property": "t", "aggregate": "avg", "over": "3650d", "op": ">", "value": 1}}, "when.over"),
        ({"when": {"property": "t", "aggregate": "median", "over": "5m", "op": ">", "value": 1}}, "when.aggregate"),
        ({"when": {"no_data": 0}}, "when.no_data"),
        ({"when": {"times": 0, "within": "1m", "when": leaf(">", 1)}}, "when.times"),
        ({"when": {"during": {"from": "25:00"}}}, "when.during.from"),
        ({"when": {"during": {"tz": "Mars/Olympus"}}}, "when.during.tz"),
        ({"when": {"area": {"circle": {"lat": 100, "lon": 0, "radius": 5}}, "op": "inside"}}, "when.area.circle"),
        ({"when": {**leaf(">", 5), "typo": 1}}, "when.typo"),
        ({"for": "soon"}, "for"),
        ({"for": "-5m"}, "for"),
        ({"cooldown": "400d"}, "cooldown"),
        ({"scope": {}}, "scope"),
        ({"scope": {"devices": []}}, "scope.devices"),
        ({"trigger": "telepathy"}, "trigger"),
        ({"trigger": {"kind": "schedule", "cron": "61 * * * *"}}, "trigger.cron"),
        ({"trigger": {"kind": "schedule", "cron": "0 0 30 2 *"}}, "trigger.cron"),
        ({"trigger": "event", "for": "5m"}, "for"),
        ({"actions": []}, "actions"),
        ({"actions": [{}]}, "actions.0.kind"),
        ({"actions": [{"kind": "reading", "property": "x", "formula": "t +"}]}, "actions.0.formula"),
        ({"unknown": 1}, ".unknown"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], path: str) -> None:
    assert refused(**changes) == path


def test_conditions_do_not_nest_without_end() -> None:
    tree: Any = leaf(">", 1)
    for _ in range(30):
        tree = {"not": tree}
    assert refused(when=tree).startswith("when.not")
    assert refused(when={"any": [leaf(">", 1)] * 101}).startswith("when.any")


def test_a_hostile_pattern_takes_no_time() -> None:
    """RE2 has no back-tracking: this would take ages elsewhere."""
    assert asked(leaf("matches", "^(a|a?)+$"), values={"t": "a" * 5_000 + "b"}) is False
