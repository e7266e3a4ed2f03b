from typing import Any

import pytest

from devices.downlink.merge import check_depth, difference, merged, same
from devices.exceptions import Invalid


@pytest.mark.parametrize(
    ("state", "patch", "result"),
    [
        ({}, {"a": 1}, {"a": 1}),
        ({"a": 1}, {"a": None}, {}),
        ({}, {"a": None}, {}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}),
        ({"a": 1}, {"a": {"b": None, "c": 2}}, {"a": {"c": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": "x"}, {"a": "x"}),
    ],
)
def test_null_removes_objects_merge_and_the_rest_replaces(state: Any, patch: Any, result: Any) -> None:
    before = repr(state)

    assert merged(state, patch) == result
    assert repr(state) == before


@pytest.mark.parametrize(
    ("desired", "reported", "delta"),
    [
        ({}, {"a": 1}, {}),
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, {"a": 1.0}, {}),
        ({"a": True}, {"a": 1}, {"a": True}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a": {"c": 2}}),
        ({"a": {"b": 1}}, {"a": 5}, {"a": {"b": 1}}),
        ({"a": [1, {"b": True}]}, {"a": [1, {"b": 1}]}, {"a": [1, {"b": True}]}),
        ({"a": {}}, {"a": {"b": 1}}, {}),
    ],
)
def test_the_delta_is_what_is_desired_and_not_so(desired: Any, reported: Any, delta: Any) -> None:
    assert difference(desired, reported) == delta


def test_true_is_not_one() -> None:
    assert not same([True], [1])
    assert same({"a": [1]}, {"a": [1.0]})


def test_depth_has_an_end() -> None:
    check_depth({"a": {"b": [1]}})
    with pytest.raises(Invalid, match="too_deep"):
        check_depth({"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {}}}}}}}}})
