"""The thing model: what it accepts, and how it says what it does not."""

from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.exceptions import Invalid
from devices.thing_model import MAX_PROPERTIES, ThingModel
from devices.thing_model_parser import ThingModelError, parse


def model(**prop: Any) -> ThingModel:
    return parse({"properties": [{"key": "p", "name": "P", **prop}]})


def code(thing_model: ThingModel, value: Any, key: str = "p") -> str:
    with pytest.raises(Invalid) as caught:
        thing_model.check_values({key: value})
    return caught.value.code


@pytest.mark.parametrize("value", [0, -1, 21.5, 2**64 - 1, -(2**63), 1e308])
def test_it_takes_every_finite_number(value: float) -> None:
    assert model().check_values({"p": value}) == []


@pytest.mark.parametrize("value", ["21.5", True, None, [1], {"a": 1}, nan, inf, -inf, 2**64, -(2**63) - 1])
def test_it_takes_nothing_else_for_a_number(value: Any) -> None:
    assert code(model(), value) == "bad_value"


@pytest.mark.parametrize(
    ("kind", "good", "bad"), [("boolean", True, 1), ("text", "on", 5), ("text", "", None), ("boolean", False, "false")]
)
def test_booleans_and_texts_are_not_guessed(kind: str, good: Any, bad: Any) -> None:
    assert model(type=kind).check_values({"p": good}) == []
    assert code(model(type=kind), bad) == "bad_value"


@pytest.mark.parametrize("value", [{"a": [1, "x", None]}, [1, 2], "text", 5, True])
def test_json_takes_any_shape(value: Any) -> None:
    assert model(type="json").check_values({"p": value}) == []


@pytest.mark.parametrize("value", [{"a": "\x00"}, {"\x00": 1}, ["\x00"], "\x00", {"a": [nan]}, {"a": 2**70}])
def test_what_postgresql_refuses_is_refused_before_it(value: Any) -> None:
    assert code(model(type="json"), value) == "bad_value"
    assert code(model(), value, key="unknown") == "bad_value"


def test_limits_and_enums_are_out_of_range() -> None:
    assert code(model(min=-40, max=85), 85.1) == "out_of_range"
    assert code(model(min=-40), -41) == "out_of_range"
    assert model(min=-40, max=85).check_values({"p": 85}) == []
    assert code(model(type="text", enum=["a", "b"]), "c") == "out_of_range"
    assert code(model(enum=[1, 2]), 3) == "out_of_range"


def test_the_detail_names_the_property_and_its_limits() -> None:
    with pytest.raises(Invalid, match="“p” is 900, outside -40 to 85"):
        model(min=-40, max=85).check_values({"p": 900})


@pytest.mark.parametrize(
    ("prop", "value", "detail"),
    [
        ({"type": "text", "enum": ["heat", "cool"]}, "off", "“p” is 'off', which is none of 'heat', 'cool'"),
        ({"enum": [1, 2.5]}, 3, "“p” is 3, which is none of 1, 2.5"),
        ({"type": "boolean", "enum": [False]}, True, "“p” is true, which is none of false"),
        ({"enum": list(range(5))}, 7, "“p” is 7, which is none of 0, 1, 2, 3, 4"),
        ({"enum": list(range(1000))}, -1, "“p” is -1, which is none of 0, 1, 2, 3, 4 and 995 more"),
    ],
)
def test_the_detail_names_the_values_that_are_allowed(prop: dict[str, Any], value: Any, detail: str) -> None:
    with pytest.raises(Invalid) as caught:
        model(**prop).check_values({"p": value})
    assert caught.value.detail == detail


@pytest.mark.parametrize("character", ["x", "\n", "\x1b", "\u202e", "<", "\U0001f4a5"])
def test_hostile_values_keep_the_detail_short_and_on_one_line(character: str) -> None:
    with pytest.raises(Invalid) as caught:
        model(type="text", enum=[character * 10_000 + str(number) for number in range(1000)]).check_values({"p": character * 5_000})
    detail = caught.value.detail
    assert detail.endswith("…' and 995 more") and detail.isprintable()
    assert len(detail) < 1_600  # six texts, of which each character may be spelled out


HUGE = 10**400


@pytest.mark.parametrize(
    "limits", [{"enum": [HUGE] * 9}, {"enum": [-HUGE] * 9}, {"min": HUGE}, {"max": -HUGE}, {"min": HUGE, "max": HUGE * 10}]
)
def test_long_numbers_are_cut_too(limits: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        model(**limits).check_values({"p": 1})
    assert "10000000000000000000" in caught.value.detail and len(caught.value.detail) < 200


def test_it_returns_the_names_that_it_does_not_know() -> None:
    assert model().check_values({"p": 1, "q": 2, "r": "x"}) == ["q", "r"]


@pytest.mark.parametrize("name", ["", "x" * 257, "a\x00b"])
def test_a_hostile_name_is_refused(name: str) -> None:
    assert code(model(), 1, key=name) == "bad_value"


def test_a_report_has_at_most_a_thousand_properties() -> None:
    with pytest.raises(Invalid) as caught:
        model().check_values({f"p{number}": 1 for number in range(MAX_PROPERTIES + 1)})
    assert caught.value.code == "too_many_properties"


def test_an_event_is_checked_against_its_parameters() -> None:
    thing_model = parse({"events": [{"key": "door", "params": [{"key": "open", "type": "boolean", "required": True}, {"key": "by"}]}]})
    assert thing_model.check_event("door", {"open": True})
    assert not thing_model.check_event("unheard-of", {"anything": 1})
    for params, reason in (({"open": 1}, "bad_value"), ({}, "bad_value"), ([], "bad_shape"), ("x", "bad_shape")):
        with pytest.raises(Invalid) as caught:
            thing_model.check_event("door", params)
        assert caught.value.code == reason


def test_every_problem_is_named_at_once_with_its_path() -> None:
    with pytest.raises(ThingModelError) as caught:
        parse(
            {
                "properties": [{"key": "a", "type": "float"}, {"key": "a"}, {"name": "no key"}, {"key": "b", "min": 5, "max": 1}],
                "events": [{"key": "has blank"}],
                "commands": [{"key": "c", "timeout": -1, "params": [{"key": "p", "precision": 99}]}],
                "colour": "blue",
            }
        )
    assert [path for path, _ in caught.value.problems] == [
        "colour",
        "properties[0].type",
        "properties[1].key",
        "properties[2].key",
        "properties[3].max",
        "events[0].key",
        "commands[0].timeout",
        "commands[0].params[0].precision",
    ]


@pytest.mark.parametrize(
    "prop",
    [
        {"unit": 5},
        {"unit": "x" * 201},
        {"min": "0"},
        {"min": nan},
        {"type": "text", "min": 1},
        {"enum": []},
        {"enum": "abc"},
        {"enum": ["text for a number"]},
        {"type": "json", "enum": [1]},
        {"period": 0},
        {"precision": 1.5},
        {"required": "yes"},
        {"colour": "red"},
        {"key": "\x07"},
        {"key": 5},
    ],
)
def test_a_bad_property_is_refused(prop: dict[str, Any]) -> None:
    with pytest.raises(ThingModelError):
        model(**prop)


@pytest.mark.parametrize("data", [None, [], "x", {"properties": {}}, {"properties": [5]}, {"events": "x"}])
def test_a_bad_shape_is_refused(data: Any) -> None:
    with pytest.raises(ThingModelError):
        parse(data)


def test_it_shows_what_it_was_given() -> None:
    data = {
        "properties": [{"key": "t", "name": "T", "type": "number", "unit": "°C", "min": -40, "enum": [1, 2], "precision": 0, "period": 60}],
        "attributes": [{"key": "fw", "name": "Firmware", "type": "text"}],
        "events": [{"key": "door", "name": "Door", "params": [{"key": "open", "name": "open", "type": "boolean", "required": True}]}],
        "commands": [{"key": "reboot", "name": "Reboot", "params": [], "timeout": 5, "idempotent": True}],
    }
    assert parse(data).as_dict() == data
    assert parse(parse(data).as_dict()) == parse(data)


def test_a_limit_of_zero_is_a_limit() -> None:
    shown = model(min=0, max=0).as_dict()["properties"][0]
    assert (shown["min"], shown["max"]) == (0, 0)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_parsing_anything_ends_in_a_model_or_named_problems(data: Any) -> None:
    try:
        parsed = parse(data)
    except ThingModelError as error:
        assert error.problems
    else:
        assert parse(parsed.as_dict()) == parsed
